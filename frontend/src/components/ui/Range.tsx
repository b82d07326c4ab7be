import type { ComponentProps, CSSProperties } from "react";

import { cx } from "@/lib/cx";

interface RangeProps extends Omit<ComponentProps<"input">, "onChange" | "value" | "min" | "max"> {
  value: number;
  min: number;
  max: number;
  onChange: (value: number) => void;
}

/** The browser's own slider in the house's clothes: keyboard and screen readers know it already. */
export function Range({ value, min, max, onChange, className, ...rest }: RangeProps) {
  const share = max > min ? (100 * (value - min)) / (max - min) : 0;
  return (
    <input
      type="range"
      value={value}
      min={min}
      max={max}
      onChange={(event) => onChange(event.currentTarget.valueAsNumber)}
      style={{ "--fill": `${Math.min(100, Math.max(0, share))}%` } as CSSProperties}
      className={cx("range min-w-0", className)}
      {...rest}
    />
  );
}
