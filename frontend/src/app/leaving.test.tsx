import { act, configure, fireEvent, screen, waitFor } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { afterEach, beforeEach, expect, describe, it } from "vitest";

import type { Job } from "@/api/client";
import { finishRemovals } from "@/features/jobs/removals";
import { navigate, paths } from "@/lib/route";
import { renderApp } from "@/testing/renderApp";
import { sampleJob } from "@/testing/samples";
import { server } from "@/testing/server";

/** A server with one song, of which it takes edits, unless it is down, and its deletion. */
function keepSong(jobId: string) {
  const kept = { job: sampleJob({ job_id: jobId, tracks: [] }), edits: [] as Partial<Job>[], down: false, deleted: false };
  server.use(
    http.get(`*/api/job/${jobId}`, () => HttpResponse.json(kept.job)),
    http.patch(`*/api/job/${jobId}`, async ({ request }) => {
      const edit = (await request.json()) as Partial<Job>;
      kept.edits.push(edit);
      if (kept.down) return HttpResponse.json({ error: "The store is locked." }, { status: 503 });
      kept.job = { ...kept.job, ...edit };
      return HttpResponse.json(kept.job);
    }),
    http.delete(`*/api/jobs/${jobId}`, () => {
      kept.deleted = true;
      return new HttpResponse(null, { status: 204 });
    }),
  );
  return kept;
}

/** The song's page, come to from the composer's, and the way back. */
function openSong(jobId = "job-1") {
  const view = renderApp();
  act(() => navigate(paths.song(jobId)));
  const goBack = async () => {
    history.back();
    await screen.findByRole("textbox", { name: "Lyrics" });
    await waitFor(() => expect(view.queries.isMutating()).toBe(0));
  };
  return { ...view, goBack };
}

const notes = () => screen.findByRole("textbox", { name: "Notes" });

// As main.tsx draws the page: every effect is begun, ended and begun again.
beforeEach(() => configure({ reactStrictMode: true }));
afterEach(() => configure({ reactStrictMode: false }));

describe("notes", () => {
  it("are saved by going back", async () => {
    const kept = keepSong("job-1");
    const { user, goBack } = openSong();
    await user.type(await notes(), "Good one");
    await goBack();
    expect(kept.edits).toEqual([{ notes: "Good one" }]);
  });

  it("are saved once where the way out took the focus first", async () => {
    const kept = keepSong("job-1");
    const { user, queries } = openSong();
    await user.type(await notes(), "Good one");
    await user.click(screen.getByRole("link", { name: "Library" }));
    await screen.findByRole("searchbox");
    await waitFor(() => expect(queries.isMutating()).toBe(0));
    expect(kept.edits).toEqual([{ notes: "Good one" }]);
  });

  it("that could not be saved are sent again", async () => {
    const kept = keepSong("job-1");
    kept.down = true;
    const { user, goBack } = openSong();
    await user.type(await notes(), "Good one");
    await user.tab();
    expect(await screen.findByText("The store is locked.")).toBeInTheDocument();
    kept.down = false;
    await goBack();
    expect(kept.edits).toEqual([{ notes: "Good one" }, { notes: "Good one" }]);
    expect(kept.job.notes).toBe("Good one");
  });

  it("that were written elsewhere meanwhile are left alone", async () => {
    const kept = keepSong("job-1");
    const { queries, goBack } = openSong();
    const field = await notes();
    act(() => void queries.setQueryData(["job", "job-1"], { ...kept.job, notes: "From the phone" }));
    await waitFor(() => expect(field).toHaveValue("From the phone"));
    await goBack();
    expect(kept.edits).toEqual([]);
  });

  it("come back with a song whose deletion is undone, and are not sent once it is deleted", async () => {
    const kept = keepSong("job-to-go");
    const { user, goBack } = openSong("job-to-go");
    await user.type(await notes(), "Good one");
    // Without a blur, as where a screen reader presses the button.
    fireEvent.click(screen.getByRole("button", { name: "Delete" }));
    await waitFor(() => expect(kept.job.notes).toBe("Good one"));
    history.back();
    await user.type(await notes(), " after all");
    finishRemovals();
    await waitFor(() => expect(kept.deleted).toBe(true));
    await goBack();
    expect(kept.edits).toEqual([{ notes: "Good one" }]);
  });
});

describe("a title", () => {
  const rename = async (user: ReturnType<typeof renderApp>["user"]) => {
    await user.click(await screen.findByRole("button", { name: "Rename" }));
    const field = screen.getByRole("textbox", { name: "Title" });
    await user.clear(field);
    await user.type(field, "Steam");
  };

  it("is saved by going back", async () => {
    const kept = keepSong("job-1");
    const { user, goBack } = openSong();
    await rename(user);
    await goBack();
    expect(kept.edits).toEqual([{ title: "Steam" }]);
  });

  it("is saved when the window is closed", async () => {
    const kept = keepSong("job-1");
    const { user } = openSong();
    await rename(user);
    act(() => void window.dispatchEvent(new Event("pagehide")));
    expect(await screen.findByRole("heading", { level: 1, name: "Steam" })).toBeInTheDocument();
    expect(kept.edits).toEqual([{ title: "Steam" }]);
  });

  it("is saved once by Enter", async () => {
    const kept = keepSong("job-1");
    const { user, goBack } = openSong();
    await rename(user);
    await user.keyboard("{Enter}{Enter}");
    await goBack();
    expect(kept.edits).toEqual([{ title: "Steam" }]);
  });

  it("stays as it was after Escape", async () => {
    const kept = keepSong("job-1");
    const { user, goBack } = openSong();
    await rename(user);
    await user.keyboard("{Escape}");
    expect(await screen.findByRole("heading", { level: 1, name: "Kettle" })).toBeInTheDocument();
    await goBack();
    expect(kept.edits).toEqual([]);
  });
});
