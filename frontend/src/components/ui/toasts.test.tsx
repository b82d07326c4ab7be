import { act, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { toast } from "./toast-store";
import { Toasts } from "./Toasts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  act(() => void vi.runAllTimers());
  vi.useRealTimers();
});

it("plain notices give way to new ones, those with an action do not", () => {
  render(<Toasts />);
  act(() => {
    toast("Deleted", { label: "Undo", run: () => undefined });
    for (const text of ["One", "Two", "Three", "Four"]) toast(text);
  });
  expect(screen.getByText("Deleted")).toBeInTheDocument();
  expect(screen.queryByText("One")).not.toBeInTheDocument();
  expect(screen.getByText("Two")).toBeInTheDocument();
});

it("an action runs or lapses, never both", () => {
  render(<Toasts />);
  const told: string[] = [];
  const actionOf = (name: string) => ({ label: name, run: () => told.push(`${name} runs`), lapse: () => told.push(`${name} lapses`) });
  act(() => ["first", "second", "third"].forEach((name) => toast(name, actionOf(name))));
  act(() => screen.getByRole("button", { name: "first" }).click());
  act(() => screen.getAllByRole("button", { name: "Close" })[0]?.click());
  act(() => void vi.advanceTimersByTime(8000));
  expect(told).toEqual(["first runs", "second lapses", "third lapses"]);
  expect(screen.queryByRole("button")).not.toBeInTheDocument();
});
