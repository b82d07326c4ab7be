import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { afterEach, describe, expect, it, vi } from "vitest";

import type { Job } from "@/api/client";
import { navigate, paths } from "@/lib/route";
import { keepJob, runningJob } from "@/testing/keepJob";
import { renderApp } from "@/testing/renderApp";
import { doneTrack, sampleJob, sampleTrack } from "@/testing/samples";
import { server } from "@/testing/server";

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

  it("offers no MP3 where there is none", async () => {
    keepJob(sampleJob({ tracks: [{ ...doneTrack(0), has_mp3: false }] }));
    const { user } = renderApp("/song/job-1");
    await user.click(await screen.findByRole("button", { name: "Download Track 1" }));
    expect(screen.getAllByRole("menuitem").map((item) => item.getAttribute("href"))).toEqual([
      "http://localhost:3000/api/job/job-1/track/0/wav",
      "http://localhost:3000/api/job/job-1/track/0/json",
    ]);
  });

  it("without words says whether it was to be sung", async () => {
    const kept = keepJob(sampleJob({ cleaned_lyrics: "" }));
    const vocal = renderApp("/song/job-1");
    expect(await screen.findByText(/the singer makes sounds up/)).toBeInTheDocument();
    expect(screen.queryByText(/instrumental/)).not.toBeInTheDocument();
    vocal.unmount();
    kept.job = sampleJob({ cleaned_lyrics: "", request: { ...sampleJob().request, mode: "instrumental" } });
    renderApp("/song/job-1");
    expect(await screen.findByText("No words: this one is instrumental.")).toBeInTheDocument();
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

  it("gives its settings back to the composer, which can give its own back", async () => {
    keepJob(sampleJob());
    const { user } = renderApp();
    await user.type(screen.getByRole("textbox", { name: "Lyrics" }), "My own");
    act(() => navigate(paths.song("job-1")));
    await user.click(await screen.findByRole("button", { name: "Use these settings" }));
    expect(screen.getByRole("textbox", { name: "Lyrics" })).toHaveValue("[Verse]\nThe kettle sings");
    expect(await screen.findByRole("button", { name: "Jazz", pressed: true })).toBeInTheDocument();
    expect(screen.getByRole("radio", { name: "2" })).toBeChecked();
    await user.click(screen.getByRole("button", { name: "Undo" }));
    expect(screen.getByRole("textbox", { name: "Lyrics" })).toHaveValue("My own");
    expect(screen.queryByRole("button", { name: "Jazz", pressed: true })).not.toBeInTheDocument();
  });

  it("gives its tags back letter by letter, until one of them is changed", async () => {
    keepJob(sampleJob({ request: { ...sampleJob().request, tags: "J-Pop,Piano, Jazz" } }));
    const sent: unknown[] = [];
    server.use(
      http.post("*/api/generate", async ({ request }) => {
        sent.push(((await request.json()) as { tags: string }).tags);
        return HttpResponse.json({ error: "64 jobs wait already." }, { status: 429 });
      }),
    );
    const { user } = renderApp("/song/job-1");
    await user.click(await screen.findByRole("button", { name: "Use these settings" }));
    expect(await screen.findByRole("button", { name: "Jazz", pressed: true })).toBeInTheDocument();
    const prompt = within(screen.getByRole("group", { name: "The prompt so far" }));
    const tags = () => prompt.getAllByRole("listitem").map((item) => item.textContent);
    const generate = () => user.click(screen.getAllByRole("button", { name: /Generate/ })[0] as HTMLElement);
    expect(tags()).toEqual(["J-Pop", "Piano", "Jazz"]);
    expect(prompt.getByText("Sent as it was written: J-Pop,Piano, Jazz")).toBeInTheDocument();
    await user.click(prompt.getByRole("button", { name: "Copy the prompt" }));
    expect(await navigator.clipboard.readText()).toBe("J-Pop,Piano, Jazz");
    await generate();
    await screen.findAllByText(/64 jobs wait/);

    await user.click(prompt.getByRole("button", { name: "Take out Piano" }));
    expect(tags()).toEqual(["Jazz", "J-Pop"]);
    expect(prompt.queryByText(/Sent as it was written/)).not.toBeInTheDocument();
    await generate();
    await waitFor(() => expect(sent).toEqual(["J-Pop,Piano, Jazz", "Jazz, J-Pop"]));
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

  it("keeps the typed title when it could not be saved", async () => {
    const kept = keepJob(sampleJob());
    let down = true;
    server.use(
      http.patch("*/api/job/job-1", () => {
        if (down) return HttpResponse.json({ error: "The store is locked." }, { status: 503 });
        kept.job = { ...kept.job, title: "Steam" };
        return HttpResponse.json(kept.job);
      }),
    );
    const { user } = renderApp("/song/job-1");
    await user.click(await screen.findByRole("button", { name: "Rename" }));
    const input = screen.getByRole("textbox", { name: "Title" });
    await user.clear(input);
    await user.type(input, "Steam{Enter}");
    expect(await screen.findByText("The store is locked.")).toBeInTheDocument();
    expect(input).toBeInTheDocument();
    expect(input).toHaveValue("Steam");
    down = false;
    await user.type(input, "{Enter}");
    expect(await screen.findByRole("heading", { level: 1, name: "Steam" })).toHaveFocus();
  });

  it("leaves Enter and Escape in the title to an input method that is composing", async () => {
    keepJob(sampleJob());
    const { user } = renderApp("/song/job-1");
    await user.click(await screen.findByRole("button", { name: "Rename" }));
    const input = screen.getByRole("textbox", { name: "Title" });
    fireEvent.keyDown(input, { key: "Escape", isComposing: true });
    expect(input).toBeInTheDocument();
    expect(fireEvent.keyDown(input, { key: "Enter", keyCode: 229 })).toBe(false);
    fireEvent.keyDown(input, { key: "Escape" });
    expect(input).not.toBeInTheDocument();
  });

  it("has its notes saved when the page is hidden", async () => {
    keepJob(sampleJob());
    const patches: unknown[] = [];
    server.use(
      http.patch("*/api/job/job-1", async ({ request }) => {
        patches.push([await request.json(), request.keepalive]);
        return HttpResponse.json(sampleJob({ notes: "Good one" }));
      }),
    );
    const { user } = renderApp("/song/job-1");
    await user.type(await screen.findByRole("textbox", { name: "Notes" }), "Good one");
    vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
    act(() => void document.dispatchEvent(new Event("visibilitychange")));
    await waitFor(() => expect(patches).toEqual([[{ notes: "Good one" }, true]]));
  });

  it("that failed in part says why and can be tried again", async () => {
    keepJob(
      sampleJob({
        status: "partial",
        tracks: [doneTrack(0), sampleTrack({ index: 1, status: "error", error: "The worker ran out of memory." })],
      }),
    );
    server.use(http.post("*/api/job/job-1/retry", () => HttpResponse.json(runningJob)));
    const { user } = renderApp("/song/job-1");
    expect(await screen.findByText("The worker ran out of memory.")).toBeInTheDocument();
    expect(screen.getByText("This track could not be made.")).toBeInTheDocument();
    expect(screen.queryByRole("progressbar")).not.toBeInTheDocument();
    await user.click(screen.getByRole("button", { name: "Try the missing tracks again" }));
    expect(await screen.findByText("42%")).toBeInTheDocument();
  });
});

it("a job that is not there is said to be gone", async () => {
  server.use(http.get("*/api/job/gone", () => HttpResponse.json({ error: "There is no job gone." }, { status: 404 })));
  renderApp("/song/gone");
  expect(await screen.findByRole("alert")).toHaveTextContent("There is no such song.There is no job gone.");
});

/** An observer that has something to tell, unlike the one that stands in for it elsewhere. */
class TellsAtOnce implements ResizeObserver {
  constructor(private readonly tell: ResizeObserverCallback) {}
  observe = () => this.tell([], this);
  unobserve = () => undefined;
  disconnect = () => undefined;
}

describe("playing", () => {
  afterEach(() => void vi.unstubAllGlobals());

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

  it("tells the page how much of the window the player covers", async () => {
    vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockReturnValue(76);
    vi.stubGlobal("ResizeObserver", TellsAtOnce);
    keepJob(sampleJob());
    const { user } = renderApp("/song/job-1");
    await user.click(await screen.findByRole("button", { name: "Play Track 1" }));
    expect(document.documentElement.style.getPropertyValue("--player")).toBe("76px");
    await user.click(screen.getByRole("button", { name: "Close the player" }));
    expect(document.documentElement.style.getPropertyValue("--player")).toBe("");
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
