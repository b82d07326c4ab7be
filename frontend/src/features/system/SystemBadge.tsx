import { Popover } from "radix-ui";
import { useTranslation } from "react-i18next";

import { useConfig } from "@/api/config";
import { cx } from "@/lib/cx";

import { SystemDetails } from "./SystemDetails";
import { readSystem } from "./system-state";
import { useStatus } from "./useStatus";

const DOTS = {
  unreachable: "bg-bad",
  waking: "bg-warn",
  broken: "bg-bad",
  held: "bg-bad",
  idle: "bg-good",
  busy: "bg-hot",
} as const;

/** How the machine is, in one word; everything about it on a click. */
export function SystemBadge() {
  const { t } = useTranslation();
  const status = useStatus();
  const config = useConfig();
  const state = readSystem(status.data, status.isError);
  return (
    <Popover.Root>
      <Popover.Trigger className="flex h-10 items-center gap-2 rounded-md px-2.5 text-sm text-soft transition-colors hover:bg-panel hover:text-text">
        <span aria-hidden className={cx("size-2 rounded-full", DOTS[state])} />
        <span className="max-sm:sr-only">{t(`system.state.${state}`)}</span>
        <span className="sr-only">{t("system.details")}</span>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          align="end"
          sideOffset={6}
          collisionPadding={8}
          aria-label={t("system.title")}
          className="z-50 max-h-[80dvh] w-[min(24rem,calc(100vw-1rem))] overflow-auto rounded-lg border border-line bg-raised p-4 shadow-float"
        >
          <SystemDetails status={status.data} config={config.data} error={status.error} />
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
