import { screen, waitFor, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { describe, expect, it } from "vitest";

import type { Job } from "@/api/client";
import { finishRemovals } from "@/features/jobs/removals";
import { renderApp } from "@/testing/renderApp";
import { sampleJob, samplePage } from "@/testing/samples";
import { server } from "@/testing/server";

/** A server with some songs: it searches, pages, edits and deletes. */
function keepSongs(titles: string[], pageSize = 20) {
  const songs: Job[] = titles.map((title, index) => sampleJob({ job_id: `job-${index}`, title }));
  const deleted: string[] = [];
  server.use(
    http.get("*/api/jobs", ({ request }) => {
      const query = new URL(request.url).searchParams;
      const text = (query.get("text") ?? "").toLowerCase();
      const fitting = songs.filter(
        (song) => song.title.toLowerCase().includes(text) && (query.get("favourite") !== "true" || song.favourite),
      );
      const start = Number(query.get("cursor") ?? 0);
      const end = start + pageSize;
      return HttpResponse.json(
        samplePage(fitting.slice(start, end), {
          next_cursor: end < fitting.length ? String(end) : null,
          total: fitting.length,
        }),
      );
    }),
    http.patch("*/api/job/:id", async ({ params, request }) => {
      const index = songs.findIndex((song) => song.job_id === params["id"]);
      const song = { ...(songs[index] as Job), ...((await request.json()) as Partial<Job>) };
      songs[index] = song;
      return HttpResponse.json(song);
    }),
    http.delete("*/api/jobs/:id", ({ params }) => {
      const index = songs.findIndex((song) => song.job_id === params["id"]);
      songs.splice(index, 1);
      deleted.push(String(params["id"]));
      return new HttpResponse(null, { status: 204 });
    }),
  );
  return { songs, deleted };
}

const rows = () => within(screen.getByRole("list", { name: "Library" })).getAllByRole("listitem");

describe("the library", () => {
  it("lists all songs and leads to each", async () => {
    keepSongs(["Rain", "Snow"]);
    renderApp("/library");
    expect(await screen.findByRole("link", { name: "Snow" })).toHaveAttribute("href", "/song/job-1");
    expect(screen.getByText("2 songs")).toBeInTheDocument();
  });

  it("goes on page by page", async () => {
    keepSongs(["One", "Two", "Three"], 2);
    const { user } = renderApp("/library");
    await screen.findByRole("link", { name: "One" });
    expect(rows()).toHaveLength(2);
    await user.click(screen.getByRole("button", { name: "Show more" }));
    expect(await screen.findByRole("link", { name: "Three" })).toBeInTheDocument();
    expect(screen.queryByRole("button", { name: "Show more" })).not.toBeInTheDocument();
  });

  it("searches on the server, and says when nothing fits", async () => {
    keepSongs(["Rain", "Snow"]);
    const { user } = renderApp("/library");
    await screen.findByRole("link", { name: "Rain" });
    await user.type(screen.getByRole("searchbox"), "sno");
    expect(await screen.findByText("1 song found")).toBeInTheDocument();
    expect(rows()).toHaveLength(1);
    await user.type(screen.getByRole("searchbox"), "rkel");
    expect(await screen.findByText(/No song fits/)).toBeInTheDocument();
  });

  it("finds the same songs again when one comes back", async () => {
    keepSongs(["Rain", "Snow"]);
    const { user } = renderApp("/library");
    await user.type(await screen.findByRole("searchbox"), "sno");
    expect(await screen.findByText("1 song found")).toBeInTheDocument();
    expect(location.search).toBe("?text=sno");
    await user.click(screen.getByRole("link", { name: "Snow" }));
    await waitFor(() => expect(screen.queryByRole("searchbox")).not.toBeInTheDocument());
    history.back();
    expect(await screen.findByRole("searchbox")).toHaveValue("sno");
    expect(await screen.findByText("1 song found")).toBeInTheDocument();
    await user.clear(screen.getByRole("searchbox"));
    expect(await screen.findByText("2 songs")).toBeInTheDocument();
    expect(location.search).toBe("");
  });

  it("marks favourites and shows only them", async () => {
    keepSongs(["Rain", "Snow"]);
    const { user } = renderApp("/library");
    await user.click(await screen.findByRole("button", { name: "Favourite: Snow" }));
    await screen.findByRole("button", { name: "Favourite: Snow", pressed: true });
    await user.click(screen.getByRole("button", { name: "Favourites" }));
    await waitFor(() => expect(screen.queryByRole("link", { name: "Rain" })).not.toBeInTheDocument());
    expect(await screen.findByRole("link", { name: "Snow" })).toBeInTheDocument();
  });

  it("renames a song in its row", async () => {
    const { songs } = keepSongs(["Rain"]);
    const { user } = renderApp("/library");
    await user.click(await screen.findByRole("button", { name: "More for Rain" }));
    await user.click(await screen.findByRole("menuitem", { name: "Rename" }));
    const input = await screen.findByRole("textbox", { name: "Title" });
    await waitFor(() => expect(screen.queryByRole("menu")).not.toBeInTheDocument());
    expect(input).toHaveFocus();
    await user.clear(input);
    await user.type(input, "Drizzle{Enter}");
    expect(await screen.findByRole("link", { name: "Drizzle" })).toHaveFocus();
    expect(songs[0]?.title).toBe("Drizzle");
  });

  it("deletes a song only after the time to undo", async () => {
    const { deleted } = keepSongs(["Rain", "Snow"]);
    const { user } = renderApp("/library");
    const remove = async () => {
      await user.click(await screen.findByRole("button", { name: "More for Rain" }));
      await user.click(await screen.findByRole("menuitem", { name: "Delete" }));
      await waitFor(() => expect(screen.queryByRole("link", { name: "Rain" })).not.toBeInTheDocument());
      expect(screen.getByText("1 song")).toBeInTheDocument();
    };
    await remove();
    await user.click(screen.getByRole("button", { name: "Undo" }));
    expect(await screen.findByRole("link", { name: "Rain" })).toBeInTheDocument();
    await remove();
    expect(deleted).toEqual([]);
    // Leaving the page does not wait any longer.
    finishRemovals();
    await waitFor(() => expect(deleted).toEqual(["job-0"]));
    expect(await screen.findByText("1 song")).toBeInTheDocument();
  });

  it("brings a song back that the server would not delete", async () => {
    keepSongs(["Rain"]);
    server.use(
      http.delete("*/api/jobs/:id", () => HttpResponse.json({ error: "The song is in the making." }, { status: 409 })),
    );
    const { user } = renderApp("/library");
    await user.click(await screen.findByRole("button", { name: "More for Rain" }));
    await user.click(await screen.findByRole("menuitem", { name: "Delete" }));
    finishRemovals();
    expect(await screen.findByRole("link", { name: "Rain" })).toBeInTheDocument();
    expect(screen.getByText("The song is in the making.")).toBeInTheDocument();
  });

  it("plays a song from its row", async () => {
    keepSongs(["Rain"]);
    const { user, deck } = renderApp("/library");
    await user.click(await screen.findByRole("button", { name: "Play Rain" }));
    expect(deck.getState()).toMatchObject({ playing: true, current: { key: "job-0/0", name: "Rain" } });
    expect(screen.getByRole("button", { name: "Pause Rain" })).toBeInTheDocument();
  });

  it("invites to compose when there is nothing yet", async () => {
    const { user } = renderApp("/library");
    await user.click(await screen.findByRole("link", { name: "Compose one" }));
    expect(location.pathname).toBe("/");
  });

  it("says what is wrong when it cannot be read", async () => {
    server.use(http.get("*/api/jobs", () => HttpResponse.json({ error: "The store is locked." }, { status: 503 })));
    renderApp("/library");
    expect(await screen.findByRole("alert")).toHaveTextContent("The store is locked.");
  });
});
