import type { ComponentProps } from "react";

import { cx } from "@/lib/cx";

const LOOKS = {
  hot: "bg-hot text-on-hot font-semibold hover:bg-hot-press disabled:bg-line disabled:text-soft",
  plain: "bg-raised text-text border border-line hover:border-edge disabled:text-soft",
  ghost: "text-soft hover:text-text hover:bg-sunken disabled:opacity-50",
} as const;

const SIZES = { md: "h-10 px-4 text-sm", lg: "h-13 px-6 text-base", sm: "h-8 px-2.5 text-sm" } as const;

interface ButtonProps extends ComponentProps<"button"> {
  look?: keyof typeof LOOKS;
  size?: keyof typeof SIZES;
}

export function Button({ look = "plain", size = "md", className, type = "button", ...rest }: ButtonProps) {
  return (
    <button
      type={type}
      className={cx(
        "inline-flex items-center justify-center gap-2 rounded-md whitespace-nowrap transition-colors select-none",
        LOOKS[look],
        SIZES[size],
        className,
      )}
      {...rest}
    />
  );
}

interface IconButtonProps extends ComponentProps<"button"> {
  /** What it does, in words: its accessible name and its tooltip. */
  label: string;
  /** For a button that stays down. */
  pressed?: boolean;
}

export function IconButton({ label, pressed, className, type = "button", ...rest }: IconButtonProps) {
  return (
    <button
      type={type}
      aria-label={label}
      title={label}
      aria-pressed={pressed}
      className={cx(
        "inline-grid size-10 shrink-0 place-items-center rounded-md transition-colors disabled:opacity-40",
        pressed ? "bg-sunken text-hot-text" : "text-soft enabled:hover:bg-sunken enabled:hover:text-text",
        className,
      )}
      {...rest}
    />
  );
}
