import { Search, Star } from "lucide-react";
import { useEffect, useRef, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { Job } from "@/api/client";
import { Problem } from "@/components/Problem";
import { Button } from "@/components/ui/Button";
import { cx } from "@/lib/cx";

interface LibraryProps {
  jobs: readonly Job[];
  total: number | undefined;
  search: string;
  onSearch: (search: string) => void;
  favourites: boolean;
  onFavourites: (favourites: boolean) => void;
  pending: boolean;
  error: unknown;
  onRetry: () => void;
  /** Null at the end of the list. */
  onMore: (() => void) | null;
  loadingMore: boolean;
  renderRow: (job: Job) => ReactNode;
  empty: ReactNode;
}

/** All songs, newest first; the list goes on as one scrolls. */
export function Library(props: LibraryProps) {
  const { t } = useTranslation();
  const { jobs, total, search, favourites } = props;
  const filtered = search.trim() !== "" || favourites;
  return (
    <div className="mx-auto max-w-5xl">
      <div className="mb-4 flex flex-wrap items-end justify-between gap-x-6 gap-y-3">
        <h1 tabIndex={-1} data-page-title className="text-3xl outline-none">
          {t("library.title")}
        </h1>
        <p role="status" className="text-sm text-soft">
          {total !== undefined && t(filtered ? "library.found" : "library.total", { count: total })}
        </p>
      </div>
      <div className="mb-4 flex gap-2">
        <div className="relative flex-1">
          <Search size={16} aria-hidden className="pointer-events-none absolute top-3 left-3 text-soft" />
          <input
            type="search"
            aria-label={t("library.search")}
            placeholder={t("library.search")}
            value={search}
            onChange={(event) => props.onSearch(event.currentTarget.value)}
            className="h-10 w-full rounded-md border border-edge bg-raised pr-3 pl-9 text-sm"
          />
        </div>
        <Button aria-pressed={favourites} onClick={() => props.onFavourites(!favourites)} className={cx(favourites && "border-hot-text text-hot-text")}>
          <Star size={16} aria-hidden fill={favourites ? "currentColor" : "none"} />
          <span className="max-sm:sr-only">{t("library.favourites")}</span>
        </Button>
      </div>
      {props.error != null && <Problem error={props.error} onRetry={props.onRetry} />}
      {props.pending && <div aria-hidden className="h-96 animate-pulse rounded-lg bg-panel" />}
      {jobs.length > 0 && (
        <ul aria-label={t("library.title")} className="grid grid-cols-1 gap-px overflow-hidden rounded-lg border border-line bg-line">
          {jobs.map(props.renderRow)}
        </ul>
      )}
      {!props.pending && props.error == null && jobs.length === 0 && (
        <div className="rounded-lg border border-dashed border-edge px-6 py-16 text-center text-soft">
          {filtered ? t("library.noneFound") : props.empty}
        </div>
      )}
      {props.onMore && <More onMore={props.onMore} loading={props.loadingMore} />}
    </div>
  );
}

function More({ onMore, loading }: { onMore: () => void; loading: boolean }) {
  const { t } = useTranslation();
  const end = useRef<HTMLDivElement>(null);
  const more = useRef(onMore);
  useEffect(() => {
    more.current = onMore;
  });
  useEffect(() => {
    if (!end.current || typeof IntersectionObserver === "undefined") return;
    const observer = new IntersectionObserver(
      (entries) => entries.some((entry) => entry.isIntersecting) && more.current(),
      { rootMargin: "400px" },
    );
    observer.observe(end.current);
    return () => observer.disconnect();
  }, []);
  return (
    <div ref={end} className="grid place-items-center py-6">
      <Button onClick={onMore} disabled={loading}>
        {t("library.more")}
      </Button>
    </div>
  );
}
