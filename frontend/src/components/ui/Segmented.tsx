import { RadioGroup } from "radix-ui";
import type { ReactNode } from "react";

import { cx } from "@/lib/cx";

interface SegmentedProps<T extends string> {
  label: string;
  value: T;
  options: readonly { value: T; text: ReactNode }[];
  onChange: (value: T) => void;
  className?: string;
}

/** One choice of a few, all in sight. Arrow keys move it, as in any radio group. */
export function Segmented<T extends string>({ label, value, options, onChange, className }: SegmentedProps<T>) {
  return (
    <RadioGroup.Root
      aria-label={label}
      value={value}
      onValueChange={(next) => {
        const option = options.find((each) => each.value === next);
        if (option) onChange(option.value);
      }}
      className={cx("grid auto-cols-fr grid-flow-col rounded-md bg-sunken p-1", className)}
    >
      {options.map((option) => (
        <RadioGroup.Item
          key={option.value}
          value={option.value}
          className={cx(
            "flex h-8 min-w-0 items-center justify-center gap-2 rounded-sm px-2 text-sm transition-colors",
            "text-soft hover:text-text data-[state=checked]:bg-raised data-[state=checked]:font-semibold",
            "data-[state=checked]:text-text data-[state=checked]:shadow-[0_0_0_1px_var(--color-line)]",
          )}
        >
          {option.text}
        </RadioGroup.Item>
      ))}
    </RadioGroup.Root>
  );
}
