import { useEffect, useEffectEvent } from "react";
import { useTranslation } from "react-i18next";

import { useConfig } from "@/api/config";
import { toast } from "@/components/ui/toast-store";
import { ControlsPanel } from "@/features/compose/ControlsPanel";
import { bodyOf, minutesOf } from "@/features/compose/draft";
import { useDraft } from "@/features/compose/draft-context";
import { GenerateBar } from "@/features/compose/GenerateBar";
import { LyricsPanel } from "@/features/compose/LyricsPanel";
import { PromptPanel } from "@/features/compose/PromptPanel";
import { useGenerate } from "@/features/compose/useGenerate";
import { RecentSongs } from "@/features/jobs/RecentSongs";
import { promptOf } from "@/features/tags/tags";
import { TagBuilder } from "@/features/tags/TagBuilder";
import { useTags } from "@/features/tags/useTags";
import { navigate, paths } from "@/lib/route";

import { PlayButton } from "../PlayButton";
import { SongSignature } from "../SongSignature";

export function ComposePage() {
  const { t } = useTranslation();
  const { draft, dispatch, change } = useDraft();
  const { data: config } = useConfig();
  const { data: catalogue } = useTags();
  const generate = useGenerate();
  const minutes = minutesOf(draft, config);

  const submit = () => {
    if (generate.isPending) return;
    generate.mutate(bodyOf({ ...draft, duration: minutes }, promptOf(draft.tags, catalogue ?? {})), {
      onSuccess: (placed) => {
        dispatch({ type: "generated" });
        toast(t(placed.status === "accepted" ? "compose.accepted" : "compose.queued", { position: placed.queue_position }));
        navigate(paths.song(placed.job_id));
      },
    });
  };
  const onKey = useEffectEvent((event: KeyboardEvent) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    submit();
  });
  useEffect(() => {
    const listen = (event: KeyboardEvent) => onKey(event);
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, []);

  return (
    <>
      <h1 data-page-title tabIndex={-1} className="sr-only">
        {t("compose.title")}
      </h1>
      <div className="grid items-start gap-4 lg:grid-cols-[19rem_minmax(0,1fr)_minmax(0,1fr)] lg:gap-5">
        {/* As tall as the window at most, so that Generate is always in sight. */}
        <div className="flex flex-col gap-4 lg:sticky lg:top-4 lg:max-h-[calc(100dvh-9rem)]">
          <div className="min-h-0 rounded-lg lg:overflow-y-auto">
            <ControlsPanel config={config} />
          </div>
          <div className="hidden shrink-0 space-y-4 lg:block">
            <SongSignature />
            <GenerateBar busy={generate.isPending} error={generate.error} onGenerate={submit} />
          </div>
        </div>
        <PromptPanel
          maxCharacters={config?.max_characters["prompt"]}
          tags={<TagBuilder tags={draft.tags} text={draft.tagText} onChange={(tags) => change({ tags })} />}
        />
        <LyricsPanel
          minutes={minutes}
          maxCharacters={config?.max_characters["lyrics"]}
        />
      </div>
      {/* Above the player, which covers the window's safe area by itself when it is there. */}
      <div className="sticky bottom-[var(--player,0px)] z-20 -mx-3 mt-4 border-t border-line bg-ground px-3 pt-3 pb-[calc(0.75rem+max(0px,env(safe-area-inset-bottom)-var(--player,0px)))] md:-mx-6 md:px-6 lg:hidden">
        <GenerateBar busy={generate.isPending} error={generate.error} onGenerate={submit} />
      </div>
      <RecentSongs renderPlay={(job) => <PlayButton job={job} />} />
    </>
  );
}
