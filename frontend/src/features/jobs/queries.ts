/** Jobs in the query cache: one entry a job, kept fresh by its events, by asking where there are none. */
import { keepPreviousData, useInfiniteQuery, useQuery, useQueryClient, type InfiniteData, type QueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { answer, api, type Job, type JobsPage } from "@/api/client";
import { askAgain } from "@/api/errors";
import { hasEnded } from "@/api/songs";
import { useVisible } from "@/lib/useVisible";

import { listenToJob } from "./stream";

const POLL_MS = 1500;
const LIST_POLL_MS = 4000;
const PAGE_SIZE = 20;

export interface JobFilter {
  text?: string;
  favourite?: boolean;
}

/** Writes what the server said of a job wherever it is shown. */
export function putJob(queries: QueryClient, job: Job): void {
  queries.setQueryData(["job", job.job_id], job);
  queries.setQueriesData<InfiniteData<JobsPage>>({ queryKey: ["jobs"] }, (data) =>
    data && {
      ...data,
      pages: data.pages.map((page) => ({
        ...page,
        jobs: page.jobs.map((each) => (each.job_id === job.job_id ? job : each)),
      })),
    },
  );
}

/** One job, streamed while the page is seen. */
export function useJob(jobId: string) {
  const queries = useQueryClient();
  const [live, setLive] = useState(false);
  const visible = useVisible();
  const query = useQuery({
    queryKey: ["job", jobId],
    queryFn: ({ signal }) => answer(api.GET("/job/{job_id}", { params: { path: { job_id: jobId } }, signal })),
    refetchInterval: ({ state }) => {
      if (!state.data) return askAgain(state.error);
      return hasEnded(state.data.status) || live ? false : POLL_MS;
    },
  });
  const running = query.data !== undefined && !hasEnded(query.data.status);

  // All tabs of a browser share its few connections to the server: a tab that nobody sees holds none.
  useEffect(() => {
    if (!running || !visible) return;
    const stop = listenToJob(jobId, { onJob: (job) => putJob(queries, job), onLive: setLive });
    return () => {
      stop();
      setLive(false);
    };
  }, [jobId, running, visible, queries]);

  useEffect(() => {
    if (!running) return;
    return () => {
      void queries.invalidateQueries({ queryKey: ["jobs"] });
      void queries.invalidateQueries({ queryKey: ["status"] });
    };
  }, [running, queries]);

  return query;
}

/** A list of jobs. It is asked for as a whole while one of them runs: a stream each would be too many. */
export function useJobs(filter: JobFilter = {}) {
  return useInfiniteQuery({
    queryKey: ["jobs", filter],
    queryFn: ({ pageParam, signal }) =>
      answer(
        api.GET("/jobs", {
          signal,
          params: {
            query: {
              limit: PAGE_SIZE,
              ...(pageParam !== null && { cursor: pageParam }),
              ...(filter.text && { text: filter.text }),
              ...(filter.favourite && { favourite: true }),
            },
          },
        }),
      ),
    // The list that was found stays until the next is: rows that come and go would jump.
    placeholderData: keepPreviousData,
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    refetchInterval: ({ state }) =>
      state.data?.pages.some((page) => page.jobs.some((job) => !hasEnded(job.status)))
        ? LIST_POLL_MS
        : askAgain(state.error),
  });
}
