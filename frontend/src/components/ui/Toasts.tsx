import { X } from "lucide-react";
import { useTranslation } from "react-i18next";

import { IconButton } from "./Button";
import { dismissToast, holdToast, releaseToast, runToastAction, useToasts } from "./toast-store";

export function Toasts() {
  const { t } = useTranslation();
  return (
    <div
      role="status"
      data-toasts
      aria-live="polite"
      className="pointer-events-none fixed inset-x-4 bottom-[calc(7rem+var(--player,0px))] z-40 flex flex-col items-center gap-2 sm:items-end"
    >
      {useToasts().map((toast) => (
        <div
          key={toast.id}
          onPointerEnter={() => holdToast(toast.id)}
          onFocus={() => holdToast(toast.id)}
          onPointerLeave={({ currentTarget }) => {
            if (!currentTarget.contains(document.activeElement)) releaseToast(toast.id);
          }}
          onBlur={({ currentTarget, relatedTarget }) => {
            if (!currentTarget.contains(relatedTarget) && !currentTarget.matches(":hover")) releaseToast(toast.id);
          }}
          className="pointer-events-auto flex max-w-md items-center gap-2 rounded-md border border-line bg-raised py-1 pr-1 pl-4 text-sm shadow-float"
        >
          <span className="min-w-0 py-1.5">{toast.text}</span>
          {toast.action && (
            <button
              type="button"
              className="rounded-sm px-2 py-1.5 font-semibold whitespace-nowrap text-hot-text hover:underline"
              onClick={() => runToastAction(toast.id)}
            >
              {toast.action.label}
            </button>
          )}
          <IconButton label={t("action.close")} className="size-8" onClick={() => dismissToast(toast.id)}>
            <X size={16} aria-hidden />
          </IconButton>
        </div>
      ))}
    </div>
  );
}
