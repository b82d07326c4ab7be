import { cx } from "@/lib/cx";
import { skeletonHeights } from "@/lib/skeleton-wave";

interface SkeletonWaveProps {
  seed: number;
  /** How much of it is filled, 0 to 100; the song's progress. */
  percent: number;
  className?: string;
}

/** Where a waveform will be: 64 bars, as many as a song has layers of codes, filled as it comes into being. */
export function SkeletonWave({ seed, percent, className }: SkeletonWaveProps) {
  const heights = skeletonHeights(seed);
  const filled = (heights.length * percent) / 100;
  return (
    <div aria-hidden className={cx("flex h-18 items-center justify-between", className)}>
      {heights.map((height, index) => (
        <span
          key={index}
          style={{ height: `${height}%` }}
          className={cx(
            "w-1 max-w-[calc(100%/100)] rounded-full transition-colors duration-500",
            index < filled ? "bg-hot" : "bg-line",
          )}
        />
      ))}
    </div>
  );
}
