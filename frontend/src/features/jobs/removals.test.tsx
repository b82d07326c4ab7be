import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, fireEvent, render, renderHook, screen, waitFor } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import type { ReactNode } from "react";
import { afterEach, expect, it, vi } from "vitest";

import { Toasts } from "@/components/ui/Toasts";
import { sampleJob } from "@/testing/samples";
import { server } from "@/testing/server";

import { useJobActions } from "./actions";

afterEach(() => {
  vi.useRealTimers();
});

it("every deleted song can be had back, for as long as its notice is pointed at or has the focus", async () => {
  const deleted: string[] = [];
  server.use(
    http.delete("*/api/jobs/:id", ({ params }) => {
      deleted.push(String(params["id"]));
      return new HttpResponse(null, { status: 204 });
    }),
  );
  const queries = new QueryClient();
  const { result } = renderHook(() => useJobActions(), {
    wrapper: ({ children }: { children: ReactNode }) => <QueryClientProvider client={queries}>{children}</QueryClientProvider>,
  });
  render(<Toasts />);
  vi.useFakeTimers();
  act(() => ["a", "b", "c", "d"].forEach((id) => result.current.remove(sampleJob({ job_id: id }))));
  const [pointedAt, focused, , left] = screen.getAllByRole("button", { name: "Undo" });
  if (!pointedAt || !focused || !left) throw new Error("Every deletion has its own way back.");
  fireEvent.pointerEnter(pointedAt);
  act(() => focused.focus());
  fireEvent.pointerEnter(left);
  fireEvent.pointerLeave(left);
  act(() => void vi.advanceTimersByTime(9000));
  expect(screen.getAllByRole("button", { name: "Undo" })).toEqual([pointedAt, focused]);
  fireEvent.click(pointedAt);
  vi.useRealTimers();
  await waitFor(() => expect(deleted).toEqual(["c", "d"]));
});
