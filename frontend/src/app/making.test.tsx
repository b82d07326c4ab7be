import { act, screen, waitFor } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { beforeEach, describe, expect, it, vi } from "vitest";

import { FakeEventSource } from "@/testing/FakeEventSource";
import { keepJob, runningJob } from "@/testing/keepJob";
import { renderApp } from "@/testing/renderApp";
import { sampleJob, samplePage, sampleTrack } from "@/testing/samples";
import { server } from "@/testing/server";

describe("a job in the making", () => {
  it("tells percent, phase, speed and time left, and the place in line", async () => {
    keepJob(runningJob);
    renderApp("/song/job-1");
    const [first, second] = await screen.findAllByRole("progressbar");
    expect(first).toHaveAttribute("aria-valuetext", "42% · Composing · 310 tokens/s · about 40 sec left");
    expect(second).toHaveAttribute("aria-valuetext", "0% · Place 1 in line");
  });

  it("is asked for again and again where events do not come", async () => {
    const kept = keepJob(runningJob);
    renderApp("/song/job-1");
    await screen.findAllByRole("progressbar");
    kept.job = sampleJob();
    expect(await screen.findByRole("button", { name: "Play Track 2" }, { timeout: 4000 })).toBeInTheDocument();
    const asked = kept.asked;
    await new Promise((resolve) => setTimeout(resolve, 1700));
    expect(kept.asked).toBe(asked);
  });

  it("can be cancelled", async () => {
    keepJob(runningJob);
    server.use(
      http.delete("*/api/job/job-1", () =>
        HttpResponse.json(sampleJob({ status: "cancelled", tracks: [sampleTrack({ status: "cancelled" })] })),
      ),
    );
    const { user } = renderApp("/song/job-1");
    await user.click(await screen.findByRole("button", { name: "Cancel" }));
    expect(await screen.findByText("Cancelled", { selector: "[role=status]" })).toBeInTheDocument();
    expect(screen.queryByRole("progressbar")).not.toBeInTheDocument();
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
    const kept = keepJob(runningJob);
    renderApp("/song/job-1");
    await screen.findAllByRole("progressbar");
    const source = FakeEventSource.opened.at(-1);
    expect(source?.url).toBe("/api/job/job-1/events");
    act(() => source?.send("job", { ...runningJob, tracks: [sampleTrack({ status: "superres", progress: 71 })] }));
    expect(await screen.findByText("71%")).toBeInTheDocument();
    const asked = kept.asked;
    await new Promise((resolve) => setTimeout(resolve, 1700));
    expect(kept.asked).toBe(asked);

    kept.job = sampleJob();
    act(() => source?.send("job", kept.job));
    expect(await screen.findByRole("button", { name: "Play Track 1" })).toBeInTheDocument();
    await waitFor(() => expect(source?.closed).toBe(true));
  });

  it("tell those who do not see the page what has become of it, in one word", async () => {
    keepJob(runningJob);
    renderApp("/song/job-1");
    const word = await screen.findByText("In the making");
    expect(word).toHaveRole("status");
    act(() => FakeEventSource.opened.at(-1)?.send("job", sampleJob()));
    // The same element: only a change of one that is there already is announced.
    await waitFor(() => expect(word).toHaveTextContent(/^Finished$/));
    expect(word).toBeInTheDocument();
  });

  it("are replaced by asking while they are lost", async () => {
    const kept = keepJob(runningJob);
    renderApp("/song/job-1");
    await screen.findAllByRole("progressbar");
    act(() => FakeEventSource.opened.at(-1)?.breakDown());
    kept.job = sampleJob();
    expect(await screen.findByRole("button", { name: "Play Track 1" }, { timeout: 4000 })).toBeInTheDocument();
  });

  it("are listened to only while the page is seen", async () => {
    keepJob(runningJob);
    renderApp("/song/job-1");
    await screen.findAllByRole("progressbar");
    expect(FakeEventSource.opened).toHaveLength(1);
    const hide = (hidden: boolean) => {
      vi.spyOn(document, "visibilityState", "get").mockReturnValue(hidden ? "hidden" : "visible");
      act(() => void document.dispatchEvent(new Event("visibilitychange")));
    };
    hide(true);
    expect(FakeEventSource.opened[0]?.closed).toBe(true);
    hide(false);
    expect(FakeEventSource.opened).toHaveLength(2);
    act(() => FakeEventSource.opened[1]?.send("job", sampleJob()));
    expect(await screen.findByRole("button", { name: "Play Track 1" })).toBeInTheDocument();
  });

  it("are not needed by the newest songs, whose list is asked for again", async () => {
    const kept = keepJob(runningJob);
    server.use(http.get("*/api/jobs", () => HttpResponse.json(samplePage([kept.job]))));
    renderApp();
    expect(await screen.findByText(/In the making · 21%/)).toBeInTheDocument();
    kept.job = sampleJob();
    expect(await screen.findByRole("button", { name: "Play Kettle" })).toBeInTheDocument();
    expect(FakeEventSource.opened).toEqual([]);
  });

  it("that are no jobs are passed over", async () => {
    keepJob(runningJob);
    renderApp("/song/job-1");
    await screen.findAllByRole("progressbar");
    act(() => FakeEventSource.opened.at(-1)?.sendText("job", "<html>Bad gateway</html>"));
    expect(screen.getByText("42%")).toBeInTheDocument();
  });
});
