import { QueryClientProvider, type QueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import { Toasts } from "@/components/ui/Toasts";
import { DraftProvider } from "@/features/compose/DraftProvider";
import type { Deck } from "@/features/player/deck";
import { DeckContext } from "@/features/player/deck-context";
import { PlayerBar } from "@/features/player/PlayerBar";
import { Banners } from "@/features/system/Banners";
import { KeyDialog } from "@/features/system/KeyDialog";
import { routeOf, usePathname, type Route } from "@/lib/route";

import { Header } from "./Header";
import { ComposePage } from "./pages/ComposePage";
import { LibraryPage } from "./pages/LibraryPage";
import { LostPage } from "./pages/LostPage";
import { SongPage } from "./pages/SongPage";

export function App({ deck, queries }: { deck: Deck; queries: QueryClient }) {
  const { t } = useTranslation();
  const pathname = usePathname();
  const route = routeOf(pathname);
  const main = useRef<HTMLElement>(null);
  useArrival(main, pathname);
  return (
    <QueryClientProvider client={queries}>
      <DeckContext value={deck}>
        <DraftProvider>
          <a
            href="#main"
            className="fixed top-2 left-2 z-50 -translate-y-16 rounded-md bg-hot px-4 py-2 text-on-hot focus:translate-y-0"
          >
            {t("nav.skip")}
          </a>
          <div className="flex min-h-dvh flex-col">
            <Header route={route} />
            <main id="main" ref={main} tabIndex={-1} className="mx-auto w-full max-w-[96rem] flex-1 px-3 pb-8 outline-none md:px-6">
              <Banners />
              <Page route={route} />
            </main>
            <PlayerBar />
          </div>
          <KeyDialog />
          <Toasts />
        </DraftProvider>
      </DeckContext>
    </QueryClientProvider>
  );
}

function Page({ route }: { route: Route }) {
  switch (route.page) {
    case "compose":
      return <ComposePage />;
    case "library":
      return <LibraryPage />;
    case "song":
      return <SongPage key={route.jobId} jobId={route.jobId} />;
    case "lost":
      return <LostPage />;
  }
}

/** After a change of page: begin at its top, with the focus on its content, as a loaded page would. */
function useArrival(main: React.RefObject<HTMLElement | null>, pathname: string) {
  const before = useRef(pathname);
  useEffect(() => {
    if (before.current === pathname) return;
    before.current = pathname;
    window.scrollTo(0, 0);
    const title = main.current?.querySelector<HTMLElement>("[data-page-title]");
    (title ?? main.current)?.focus({ preventScroll: true });
  }, [main, pathname]);
}
