import { act, screen, waitFor } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { beforeEach, describe, expect, it, vi } from "vitest";

import type { Job } from "@/api/client";
import { FakeEventSource } from "@/testing/FakeEventSource";
import { renderApp } from "@/testing/renderApp";
import { doneTrack, sampleJob, sampleTrack } from "@/testing/samples";
import { server } from "@/testing/server";

/** A server with one job, which a test may change while it runs. */
function keepJob(first: Job) {
  const kept = { job: first, asked: 0 };
  server.use(
    http.get("*/api/job/job-1", () => {
      kept.asked += 1;
      return HttpResponse.json(kept.job);
    }),
    http.get("*/api/job/job-1/track/:index/waveform", () => HttpResponse.json({ error: "Gone" }, { status: 404 })),
  );
  return kept;
}

const running = sampleJob({
  status: "generating",
  tracks: [
    sampleTrack({
      status: "generating",
      worker_phase: "backbone",
      progress: 42,
      tokens_per_second: 310.4,
      eta_seconds: 40,
    }),
    sampleTrack({ index: 1, seed: 8 }),
  ],
  queue_position: 1,
});

describe("a job in the making", () => {
  it("tells percent, phase, speed and time left, and the place in line", async () => {
    keepJob(running);
    renderApp("/song/job-1");
    const [first, second] = await screen.findAllByRole("progressbar");
    expect(first).toHaveAttribute("aria-valuetext", "42% · Composing · 310 tokens/s · about 40 sec left");
    expect(second).toHaveAttribute("aria-valuetext", "0% · Place 1 in line");
  });

  it("is asked for again and again where events do not come", async () => {
    const kept = keepJob(running);
    renderApp("/song/job-1");
    await screen.findAllByRole("progressbar");
    kept.job = sampleJob();
    expect(await screen.findByRole("button", { name: "Play Track 2" }, { timeout: 4000 })).toBeInTheDocument();
    const asked = kept.asked;
    await new Promise((resolve) => setTimeout(resolve, 1700));
    expect(kept.asked).toBe(asked);
  });

  it("can be cancelled", async () => {
    keepJob(running);
    server.use(
      http.delete("*/api/job/job-1", () =>
        HttpResponse.json(sampleJob({ status: "cancelled", tracks: [sampleTrack({ status: "cancelled" })] })),
      ),
    );
    const { user } = renderApp("/song/job-1");
    await user.click(await screen.findByRole("button", { name: "Cancel" }));
    expect(await screen.findByText(/^Cancelled · /)).toBeInTheDocument();
    expect(screen.queryByRole("button", { name: "Cancel" })).not.toBeInTheDocument();
    expect(screen.getByRole("button", { name: "Try the missing tracks again" })).toBeInTheDocument();
  });
});

describe("a job's events", () => {
  beforeEach(() => {
    FakeEventSource.opened = [];
    vi.stubGlobal("EventSource", FakeEventSource);
  });

  it("move the page without asking, and the stream is closed at the end", async () => {
    const kept = keepJob(running);
    renderApp("/song/job-1");
    await screen.findAllByRole("progressbar");
    const source = FakeEventSource.opened.at(-1);
    expect(source?.url).toBe("/api/job/job-1/events");
    act(() => source?.send("job", { ...running, tracks: [sampleTrack({ status: "superres", progress: 71 })] }));
    expect(await screen.findByText("71%")).toBeInTheDocument();
    const asked = kept.asked;
    await new Promise((resolve) => setTimeout(resolve, 1700));
    expect(kept.asked).toBe(asked);

    kept.job = sampleJob();
    act(() => source?.send("job", kept.job));
    expect(await screen.findByRole("button", { name: "Play Track 1" })).toBeInTheDocument();
    await waitFor(() => expect(source?.closed).toBe(true));
  });

  it("are replaced by asking while they are lost", async () => {
    const kept = keepJob(running);
    renderApp("/song/job-1");
    await screen.findAllByRole("progressbar");
    act(() => FakeEventSource.opened.at(-1)?.breakDown());
    kept.job = sampleJob();
    expect(await screen.findByRole("button", { name: "Play Track 1" }, { timeout: 4000 })).toBeInTheDocument();
  });

  it("that are no jobs are passed over", async () => {
    keepJob(running);
    renderApp("/song/job-1");
    await screen.findAllByRole("progressbar");
    act(() => FakeEventSource.opened.at(-1)?.sendText("job", "<html>Bad gateway</html>"));
    expect(screen.getByText("42%")).toBeInTheDocument();
  });
});

describe("a finished job", () => {
  it("shows its words, its numbers and its files", async () => {
    keepJob(sampleJob());
    const { user } = renderApp("/song/job-1");
    expect(await screen.findByText("The kettle sings")).toBeInTheDocument();
    expect(screen.getByText("Verse")).toBeInTheDocument();
    expect(screen.getByText("Seed 8")).toBeInTheDocument();
    await user.click(screen.getByRole("button", { name: "Download Track 2" }));
    expect(screen.getAllByRole("menuitem").map((item) => item.getAttribute("href"))).toEqual([
      "http://localhost:3000/api/job/job-1/track/1/mp3",
      "http://localhost:3000/api/job/job-1/track/1/wav",
      "http://localhost:3000/api/job/job-1/track/1/json",
    ]);
  });

  it("is made again with another seed", async () => {
    keepJob(sampleJob());
    let body: unknown = null;
    server.use(
      http.post("*/api/generate", async ({ request }) => {
        body = await request.json();
        return HttpResponse.json({ status: "queued", job_id: "job-2", num_tracks: 2, queue_position: 1, warnings: [] });
      }),
      http.get("*/api/job/job-2", () => HttpResponse.json(sampleJob({ job_id: "job-2", title: "Second kettle", tracks: [] }))),
    );
    const { user } = renderApp("/song/job-1");
    await user.click(await screen.findByRole("button", { name: "Again with a new seed" }));
    expect(await screen.findByRole("heading", { level: 1, name: "Second kettle" })).toBeInTheDocument();
    expect(body).toEqual({ ...sampleJob().request, seed: null, title: "Kettle" });
  });

  it("gives its settings back to the composer", async () => {
    keepJob(sampleJob());
    const { user } = renderApp("/song/job-1");
    await user.click(await screen.findByRole("button", { name: "Use these settings" }));
    expect(screen.getByRole("textbox", { name: "Lyrics" })).toHaveValue("[Verse]\nThe kettle sings");
    expect(await screen.findByRole("button", { name: "Jazz", pressed: true })).toBeInTheDocument();
    expect(screen.getByRole("radio", { name: "2" })).toBeChecked();
  });

  it("is renamed, marked and annotated", async () => {
    const kept = keepJob(sampleJob());
    const patches: unknown[] = [];
    server.use(
      http.patch("*/api/job/job-1", async ({ request }) => {
        const patch = (await request.json()) as Partial<Job>;
        patches.push(patch);
        kept.job = { ...kept.job, ...patch };
        return HttpResponse.json(kept.job);
      }),
    );
    const { user } = renderApp("/song/job-1");
    await user.click(await screen.findByRole("button", { name: "Rename" }));
    await user.clear(screen.getByRole("textbox", { name: "Title" }));
    await user.type(screen.getByRole("textbox", { name: "Title" }), "Steam{Enter}");
    expect(await screen.findByRole("heading", { level: 1, name: "Steam" })).toBeInTheDocument();
    await user.click(screen.getByRole("button", { name: "Favourite" }));
    expect(await screen.findByRole("button", { name: "Favourite", pressed: true })).toBeInTheDocument();
    await user.type(screen.getByRole("textbox", { name: "Notes" }), "Good one");
    await user.tab();
    await waitFor(() => expect(patches).toEqual([{ title: "Steam" }, { favourite: true }, { notes: "Good one" }]));
  });

  it("that failed in part says why and can be tried again", async () => {
    keepJob(
      sampleJob({
        status: "partial",
        tracks: [doneTrack(0), sampleTrack({ index: 1, status: "error", error: "The worker ran out of memory." })],
      }),
    );
    server.use(http.post("*/api/job/job-1/retry", () => HttpResponse.json(running)));
    const { user } = renderApp("/song/job-1");
    expect(await screen.findByText("The worker ran out of memory.")).toBeInTheDocument();
    await user.click(screen.getByRole("button", { name: "Try the missing tracks again" }));
    expect(await screen.findByText("42%")).toBeInTheDocument();
  });
});

it("a job that is not there is said to be gone", async () => {
  server.use(http.get("*/api/job/gone", () => HttpResponse.json({ error: "There is no job gone." }, { status: 404 })));
  renderApp("/song/gone");
  expect(await screen.findByRole("alert")).toHaveTextContent("There is no such song.There is no job gone.");
});

describe("playing", () => {
  it("plays one song at a time and follows it across pages", async () => {
    keepJob(sampleJob());
    const { user, deck } = renderApp("/song/job-1");
    await user.click(await screen.findByRole("button", { name: "Play Track 1" }));
    expect(screen.getByRole("button", { name: "Pause Track 1" })).toBeInTheDocument();
    await user.click(screen.getByRole("button", { name: "Play Track 2" }));
    expect(screen.getByRole("button", { name: "Play Track 1" })).toBeInTheDocument();
    expect(screen.getByRole("button", { name: "Pause Track 2" })).toBeInTheDocument();
    await user.click(screen.getByRole("link", { name: "Library" }));
    expect(screen.getByRole("region", { name: "Player" })).toHaveTextContent("Track 2");
    expect(deck.getState().playing).toBe(true);
  });

  it("is steered by keys", async () => {
    keepJob(sampleJob());
    const { user, deck } = renderApp("/song/job-1");
    const slider = await screen.findByRole("slider", { name: "Position in Track 1" });
    slider.focus();
    await user.keyboard("{ArrowRight}{ArrowRight}");
    expect(slider).toHaveAttribute("aria-valuetext", "0:10 of 1:02");
    await user.keyboard("{ArrowLeft}");
    expect(slider).toHaveAttribute("aria-valuenow", "5");
    await user.keyboard(" ");
    expect(deck.getState().playing).toBe(true);
    slider.blur();
    await user.keyboard(" ");
    expect(deck.getState().playing).toBe(false);
  });

  it("loops, mutes and remembers the volume", async () => {
    keepJob(sampleJob());
    const { user, deck } = renderApp("/song/job-1");
    await user.click(await screen.findByRole("button", { name: "Play Track 1" }));
    await user.click(screen.getByRole("button", { name: "Loop" }));
    await user.click(screen.getByRole("button", { name: "Mute" }));
    const audio = deck.audioOf("job-1/0");
    expect(audio).toMatchObject({ loop: true, muted: true });
    deck.setSound({ volume: 0.5, muted: false });
    expect(audio).toMatchObject({ volume: 0.5, muted: false });
    expect(JSON.parse(localStorage.getItem("khala.sound") ?? "")).toEqual({ volume: 0.5, loop: true });
    await user.click(screen.getByRole("button", { name: "Close the player" }));
    expect(screen.queryByRole("region", { name: "Player" })).not.toBeInTheDocument();
  });
});
