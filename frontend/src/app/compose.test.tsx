import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { describe, expect, it } from "vitest";

import { renderApp } from "@/testing/renderApp";
import { SAMPLE_CONFIG, sampleJob } from "@/testing/samples";
import { server } from "@/testing/server";

interface Sent {
  body: Record<string, unknown>;
  key: string | null;
}

/** A server that takes songs in and remembers what was sent. */
function takeSongs(answers: (() => Response)[] = []): Sent[] {
  const sent: Sent[] = [];
  server.use(
    http.post("*/api/generate", async ({ request }) => {
      sent.push({ body: (await request.json()) as Record<string, unknown>, key: request.headers.get("Idempotency-Key") });
      const placed = {
        status: "accepted",
        job_id: "job-1",
        num_tracks: 2,
        queue_position: 0,
        warnings: [],
        starts_in_seconds: null,
        finishes_in_seconds: null,
      };
      return answers[sent.length - 1]?.() ?? HttpResponse.json(placed);
    }),
    http.get("*/api/job/job-1", () => HttpResponse.json(sampleJob({ status: "cancelled", tracks: [] }))),
  );
  return sent;
}

// The button is there twice, for wide and for narrow windows; jsdom hides neither.
const generateButton = () => screen.getAllByRole("button", { name: /Generate/ })[0] as HTMLElement;

describe("composing", () => {
  it("sends tags and lyrics and goes to the studio", async () => {
    const sent = takeSongs();
    const { user } = renderApp();
    await user.click(await screen.findByRole("button", { name: "Piano" }));
    await user.click(screen.getByRole("button", { name: "Jazz" }));
    await user.click(screen.getByRole("button", { name: "[Verse]" }));
    await user.keyboard("Hello rain");
    await user.click(await screen.findByRole("radio", { name: "5" }));
    await user.click(generateButton());

    expect(await screen.findByRole("heading", { level: 1, name: "Kettle" })).toBeInTheDocument();
    expect(location.pathname).toBe("/song/job-1");
    expect(sent[0]?.body).toEqual({
      mode: "vocal",
      prompt_mode: "tags",
      title: "",
      tags: "Jazz, Piano",
      lyrics: "[Verse]\nHello rain",
      duration: 5,
    });
  });

  it("sends a description of an instrumental song with Ctrl+Enter, as long as the model is best at", async () => {
    const sent = takeSongs();
    const engine = { ...SAMPLE_CONFIG.engine, suggested_minutes: 1 };
    server.use(http.get("*/api/config", () => HttpResponse.json({ ...SAMPLE_CONFIG, engine })));
    const { user } = renderApp();
    await waitFor(() => expect(screen.getByRole("radio", { name: "1" })).toBeChecked());
    expect(screen.queryByText(/best at 1 minute/)).not.toBeInTheDocument();
    await user.click(screen.getByRole("radio", { name: "3" }));
    expect(screen.getByText(/best at 1 minute/)).toBeInTheDocument();
    await user.click(screen.getByRole("radio", { name: "1" }));
    await user.click(screen.getByRole("radio", { name: "Natural" }));
    await user.click(screen.getByRole("radio", { name: "Instrumental" }));
    await user.type(screen.getByRole("textbox", { name: "Describe the song" }), "A calm piece");
    await user.keyboard("{Control>}{Enter}{/Control}");
    await waitFor(() => expect(sent).toHaveLength(1));
    expect(sent[0]?.body).toEqual({
      mode: "instrumental",
      prompt_mode: "natural",
      title: "",
      prompt: "A calm piece",
      duration: 1,
    });
  });

  it("hides the lyrics of an instrumental song and keeps them", async () => {
    const { user } = renderApp();
    await user.type(screen.getByRole("textbox", { name: "Lyrics" }), "Keep me");
    await user.click(screen.getByRole("radio", { name: "Instrumental" }));
    expect(screen.queryByRole("textbox", { name: "Lyrics" })).not.toBeInTheDocument();
    expect(screen.getByText(/Your lyrics are kept/)).toBeInTheDocument();
    await user.click(screen.getByRole("radio", { name: "Vocal" }));
    expect(screen.getByRole("textbox", { name: "Lyrics" })).toHaveValue("Keep me");
  });

  it("survives a reload", async () => {
    const first = renderApp();
    await first.user.type(screen.getByRole("textbox", { name: "Lyrics" }), "Still here");
    await first.user.click(await screen.findByRole("button", { name: "Dreamy" }));
    first.unmount();
    renderApp();
    expect(screen.getByRole("textbox", { name: "Lyrics" })).toHaveValue("Still here");
    expect(await screen.findByRole("button", { name: "Dreamy", pressed: true })).toBeInTheDocument();
  });

  it("warns gently, and counts", async () => {
    const { user } = renderApp();
    expect(screen.getByText(/No words yet/)).toBeInTheDocument();
    await user.click(await screen.findByRole("radio", { name: "1" }));
    await user.click(screen.getByRole("textbox", { name: "Lyrics" }));
    await user.paste("la ".repeat(300));
    expect(screen.getByText("1 line · 300 words")).toBeInTheDocument();
    expect(screen.getByText("This is a lot of text for 1 minute.")).toBeInTheDocument();
  });

  it("starts from an example, and takes that back", async () => {
    const { user } = renderApp();
    await user.type(screen.getByRole("textbox", { name: "Lyrics" }), "My own");
    await user.click(screen.getByRole("button", { name: "Rain and a kettle" }));
    expect(screen.getByRole<HTMLTextAreaElement>("textbox", { name: "Lyrics" }).value).toContain("kettle sings");
    await user.click(screen.getByRole("button", { name: "Undo" }));
    expect(screen.getByRole("textbox", { name: "Lyrics" })).toHaveValue("My own");
  });

  it("keeps the length that the model is best at with an example", async () => {
    const engine = { ...SAMPLE_CONFIG.engine, suggested_minutes: 1 };
    server.use(http.get("*/api/config", () => HttpResponse.json({ ...SAMPLE_CONFIG, engine })));
    const { user } = renderApp();
    await waitFor(() => expect(screen.getByRole("radio", { name: "1" })).toBeChecked());
    for (const name of ["Rain and a kettle", "Neon drive", "Harbour before dawn", "Harvest evening", "Moonlight on the river"]) {
      await user.click(screen.getByRole("button", { name }));
      expect(screen.getByRole("radio", { name: "1" })).toBeChecked();
    }
  });

  it("sends the advanced settings that were changed, and forgets an unlocked seed", async () => {
    const sent = takeSongs();
    const { user } = renderApp();
    await user.click(screen.getByRole("button", { name: /Advanced/ }));
    await user.type(screen.getByRole("textbox", { name: "Seed" }), "12x3");
    await user.click(await screen.findByRole("button", { name: "Fewer tracks" }));
    await user.click(generateButton());
    await waitFor(() => expect(sent[0]?.body).toMatchObject({ seed: 123, num_tracks: 1 }));
    expect(JSON.parse(localStorage.getItem("khala.draft") ?? "{}")).toMatchObject({ seed: null, numTracks: 1 });
  });

  it("rolls and locks a seed", async () => {
    const { user } = renderApp();
    await user.click(screen.getByRole("button", { name: /Advanced/ }));
    await user.click(screen.getByRole("button", { name: "Roll a seed" }));
    expect(screen.getByRole<HTMLInputElement>("textbox", { name: "Seed" }).value).toMatch(/^\d+$/);
    await user.click(screen.getByRole("button", { name: "Keep this seed" }));
    expect(screen.getByRole("button", { name: "Keep this seed", pressed: true })).toBeInTheDocument();
  });
});

describe("a refusal", () => {
  it("is said in words, with the time to wait", async () => {
    takeSongs([
      () => HttpResponse.json({ error: "64 jobs wait already." }, { status: 429, headers: { "Retry-After": "30" } }),
    ]);
    const { user } = renderApp();
    await user.click(generateButton());
    const [alert] = await screen.findAllByRole("alert");
    expect(alert).toHaveTextContent("The queue is full. 64 jobs wait already.".replace(". ", "."));
    expect(alert).toHaveTextContent("The server suggests 30 seconds.");
  });

  it("of the network is tried again with the same key, so that there is one job", async () => {
    const sent = takeSongs([() => HttpResponse.error()]);
    const { user } = renderApp();
    await user.click(generateButton());
    expect(await screen.findByRole("heading", { level: 1, name: "Kettle" })).toBeInTheDocument();
    expect(sent).toHaveLength(2);
    expect(sent[0]?.key).toMatch(/^[0-9a-f]{32}$/);
    expect(sent[1]?.key).toBe(sent[0]?.key);
  });
});

describe("the tag builder", () => {
  it("shows ten at a time, and more on demand", async () => {
    const { user } = renderApp();
    const genre = within(await screen.findByRole("region", { name: /Genre/ }));
    expect(genre.getAllByRole("button", { pressed: false })).toHaveLength(10);
    await user.click(genre.getByRole("button", { name: "More tags (15)" }));
    expect(genre.getAllByRole("button", { pressed: false })).toHaveLength(20);
  });

  it("takes at most ten of a category", async () => {
    const { user } = renderApp();
    const genre = within(await screen.findByRole("region", { name: /Genre/ }));
    for (const tag of genre.getAllByRole("button", { pressed: false })) await user.click(tag);
    await user.click(genre.getByRole("button", { name: /More tags/ }));
    expect(genre.getByText("10 are the most of one kind.")).toBeInTheDocument();
    expect(genre.getByRole("button", { name: "Genre 9" })).toBeDisabled();
  });

  it("searches all categories, and adds what none has", async () => {
    const { user } = renderApp();
    await screen.findByRole("region", { name: /Genre/ });
    await user.type(screen.getByRole("searchbox", { name: /Search tags/ }), "piano");
    expect(screen.queryByRole("region", { name: /Genre/ })).not.toBeInTheDocument();
    expect(screen.getByRole("button", { name: "Piano" })).toBeInTheDocument();
    await user.type(screen.getByRole("searchbox", { name: /Search tags/ }), " roll{Enter}");
    const prompt = within(screen.getByRole("group", { name: "The prompt so far" }));
    expect(prompt.getByRole("button", { name: "Take out piano roll" })).toBeInTheDocument();
  });

  it("adds a whole list, typed or pasted, and clears the box", async () => {
    const { user } = renderApp();
    await screen.findByRole("region", { name: /Genre/ });
    const search = screen.getByRole("searchbox", { name: /Search tags/ });
    await user.type(search, "J-Pop, piano");
    expect(screen.getByRole("button", { name: "Add 2 tags" })).toBeInTheDocument();
    await user.keyboard("{Enter}");
    expect(search).toHaveValue("");
    await user.click(search);
    await user.paste("Piano\nDreamy\nTheremin");
    expect(search).toHaveValue("");
    const prompt = within(screen.getByRole("group", { name: "The prompt so far" }));
    expect(prompt.getAllByRole("listitem").map((item) => item.textContent)).toEqual(["Piano", "Dreamy", "J-Pop", "Theremin"]);
    expect(screen.getByRole("button", { name: "Piano", pressed: true })).toBeInTheDocument();
  });

  it("leaves in the box what has no room, and says so", async () => {
    const { user } = renderApp();
    await screen.findByRole("region", { name: /Genre/ });
    const search = screen.getByRole("searchbox", { name: /Search tags/ });
    await user.click(search);
    await user.paste(Array.from({ length: 12 }, (_, index) => `Own ${index + 1}`).join(", "));
    expect(search).toHaveValue("Own 11, Own 12");
    expect(screen.getByText("10 are the most of one kind.")).toBeInTheDocument();
  });

  it("says when no tag fits the search", async () => {
    const { user } = renderApp();
    await screen.findByRole("region", { name: /Genre/ });
    expect(screen.queryByText("No tag of the list fits.")).not.toBeInTheDocument();
    await user.type(screen.getByRole("searchbox", { name: /Search tags/ }), "theremin");
    expect(screen.getByText("No tag of the list fits.")).toBeInTheDocument();
    expect(screen.getByRole("button", { name: "Add “theremin” as your own tag" })).toBeInTheDocument();
  });

  it("leaves Enter to an input method that is composing a word", async () => {
    renderApp();
    await screen.findByRole("region", { name: /Genre/ });
    const search = screen.getByRole("searchbox", { name: /Search tags/ });
    fireEvent.change(search, { target: { value: "zhong" } });
    fireEvent.keyDown(search, { key: "Enter", isComposing: true });
    fireEvent.keyDown(search, { key: "Enter", keyCode: 229 });
    expect(search).toHaveValue("zhong");
    fireEvent.keyDown(search, { key: "Enter" });
    expect(search).toHaveValue("");
  });

  it("copies and clears the prompt", async () => {
    const { user } = renderApp();
    await user.click(await screen.findByRole("button", { name: "Dreamy" }));
    await user.click(screen.getByRole("button", { name: "Jazz" }));
    await user.click(screen.getByRole("button", { name: "Copy the prompt" }));
    expect(await navigator.clipboard.readText()).toBe("Jazz, Dreamy");
    await user.click(screen.getByRole("button", { name: "Clear all tags" }));
    expect(screen.getByText(/Choose tags below/)).toBeInTheDocument();
  });
});
