import { useId, type ReactNode } from "react";

import { cx } from "@/lib/cx";

interface PanelProps {
  title: string;
  /** Beside the title: what switches the whole panel. */
  aside?: ReactNode;
  children: ReactNode;
  className?: string;
}

export function Panel({ title, aside, children, className }: PanelProps) {
  const heading = useId();
  return (
    <section
      aria-labelledby={heading}
      className={cx("flex min-w-0 flex-col rounded-lg border border-line bg-panel", className)}
    >
      <header className="flex min-h-14 flex-wrap items-center justify-between gap-x-4 gap-y-2 px-4 pt-3 pb-2">
        <h2 id={heading} className="text-xl">
          {title}
        </h2>
        {aside}
      </header>
      {children}
    </section>
  );
}
