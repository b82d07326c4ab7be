import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { Link } from "@/components/ui/Link";
import { useJobActions } from "@/features/jobs/actions";
import { useJobs } from "@/features/jobs/queries";
import { useHiddenSongs } from "@/features/jobs/removals";
import { TitleForm } from "@/features/jobs/TitleForm";
import { Library } from "@/features/library/Library";
import { SongRow } from "@/features/library/SongRow";
import { useDeck } from "@/features/player/deck-context";
import { paths, readQuery, writeQuery } from "@/lib/route";
import { useDebounced } from "@/lib/useDebounced";

import { PlayButton } from "../PlayButton";

export function LibraryPage() {
  const { t } = useTranslation();
  const [search, setSearch] = useState(() => readQuery().get("text") ?? "");
  const [favourites, setFavourites] = useState(() => readQuery().has("favourites"));
  const text = useDebounced(search.trim());
  useEffect(() => writeQuery({ text, favourites: favourites ? "1" : "" }), [text, favourites]);
  const query = useJobs({ text, favourite: favourites });
  const hidden = useHiddenSongs();
  const actions = useJobActions();
  const { deck, state } = useDeck();
  const all = query.data?.pages.flatMap((page) => page.jobs) ?? [];
  const jobs = all.filter((job) => !hidden.has(job.job_id));
  const total = query.data?.pages.at(-1)?.total;

  return (
    <Library
      jobs={jobs}
      total={total === undefined ? undefined : total - (all.length - jobs.length)}
      search={search}
      onSearch={setSearch}
      favourites={favourites}
      onFavourites={setFavourites}
      pending={query.isPending}
      error={query.error}
      onRetry={() => void query.refetch()}
      onMore={query.hasNextPage ? () => !query.isFetchingNextPage && void query.fetchNextPage() : null}
      loadingMore={query.isFetchingNextPage}
      empty={
        <>
          {t("library.empty")}{" "}
          <Link href={paths.compose} className="text-hot-text underline">
            {t("library.compose")}
          </Link>
        </>
      }
      renderRow={(job) => (
        <SongRow
          key={job.job_id}
          job={job}
          play={<PlayButton job={job} />}
          onFavour={() => actions.favour(job)}
          onRemove={() => {
            if (state.current?.href === paths.song(job.job_id)) deck.eject();
            actions.remove(job);
          }}
          renderRename={(done) => (
            <TitleForm
              title={job.title}
              onSave={(title, options) => actions.rename(job, title, options)}
              onClose={done}
            />
          )}
        />
      )}
    />
  );
}
