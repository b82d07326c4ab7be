import { Pause, Play, Repeat, Volume2, VolumeX, X } from "lucide-react";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";

import { IconButton } from "@/components/ui/Button";
import { Link } from "@/components/ui/Link";
import { Range } from "@/components/ui/Range";
import { clock } from "@/lib/format";

import { useCurrentTime, useDeck } from "./deck-context";
import { followMediaSession } from "./media-session";

/** Tells the page how much of the window's bottom the bar covers, so that nothing else sticks behind it. */
function publishHeight(bar: HTMLElement) {
  const root = document.documentElement;
  const observer = new ResizeObserver(() => root.style.setProperty("--player", `${bar.offsetHeight}px`));
  observer.observe(bar);
  return () => {
    observer.disconnect();
    root.style.removeProperty("--player");
  };
}

/** What is on the deck, at hand on every page. */
export function PlayerBar() {
  const { t } = useTranslation();
  const { deck, state } = useDeck();
  const time = useCurrentTime(deck.audioOf(state.current?.key));
  const song = state.current;

  useEffect(() => followMediaSession(deck), [deck]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      // The space bar plays and pauses wherever it means nothing else.
      if (event.key !== " " || event.defaultPrevented || event.target !== document.body) return;
      if (!deck.getState().current) return;
      event.preventDefault();
      deck.toggle();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [deck]);

  if (!song) return null;
  return (
    <section
      ref={publishHeight}
      aria-label={t("player.label")}
      className="sticky bottom-0 z-30 border-t border-line bg-raised pb-[env(safe-area-inset-bottom)]"
    >
      <div className="mx-auto flex max-w-[96rem] flex-wrap items-center gap-x-3 px-3 py-2 md:flex-nowrap md:px-6">
        <IconButton label={t(state.playing ? "player.pause" : "player.play")} onClick={() => deck.toggle()}>
          {state.playing ? <Pause fill="currentColor" size={20} aria-hidden /> : <Play fill="currentColor" size={20} aria-hidden />}
        </IconButton>
        <div className="min-w-0 flex-1 md:w-56 md:flex-none">
          <Link href={song.href} className="block truncate text-sm font-semibold hover:underline">
            {song.name}
          </Link>
          <p className="truncate text-xs text-soft">
            {song.detail} {state.failed && <span className="text-bad">· {t("player.failed")}</span>}
          </p>
        </div>
        <div className="order-last flex w-full items-center gap-3 text-xs text-soft md:order-none md:w-auto md:flex-1">
          <span>{clock(time)}</span>
          <Range
            aria-label={t("player.seek")}
            aria-valuetext={t("player.position", { time: clock(time), total: clock(song.seconds) })}
            className="flex-1"
            min={0}
            max={song.seconds}
            step={0.1}
            value={Math.min(time, song.seconds)}
            onChange={(seconds) => deck.seek(seconds)}
          />
          <span>{clock(song.seconds)}</span>
        </div>
        <IconButton label={t("player.loop")} pressed={state.loop} onClick={() => deck.setSound({ loop: !state.loop })}>
          <Repeat size={18} aria-hidden />
        </IconButton>
        <IconButton label={t("player.mute")} pressed={state.muted} onClick={() => deck.setSound({ muted: !state.muted })}>
          {state.muted || state.volume === 0 ? <VolumeX size={18} aria-hidden /> : <Volume2 size={18} aria-hidden />}
        </IconButton>
        <Range
          aria-label={t("player.volume")}
          className="hidden w-24 sm:block"
          min={0}
          max={1}
          step={0.05}
          value={state.muted ? 0 : state.volume}
          onChange={(volume) => deck.setSound({ volume, muted: false })}
        />
        <IconButton label={t("player.close")} onClick={() => deck.eject()}>
          <X size={18} aria-hidden />
        </IconButton>
      </div>
    </section>
  );
}
