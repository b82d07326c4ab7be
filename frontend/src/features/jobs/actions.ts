/** What can be done with a job. Each action writes the server's answer into the cache, or says why it failed. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { answer, api, type Job } from "@/api/client";
import { adviceFor, ApiError } from "@/api/errors";
import { placeSong } from "@/api/generate";
import { toast } from "@/components/ui/toast-store";
import { randomKey } from "@/lib/random";

import { putJob } from "./queries";
import { carryOutRemoval, isRemoved, prepareRemoval, undoRemoval } from "./removals";
import type { SaveOptions } from "./useAutosave";

const path = (job: Job) => ({ params: { path: { job_id: job.job_id } } });

interface Edit extends SaveOptions {
  job: Job;
  to: { title?: string; favourite?: boolean; notes?: string };
}

export function useJobActions() {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const onError = (error: unknown) => {
    const sentence = error instanceof ApiError ? error.sentence : "";
    toast(sentence || t(`problem.${adviceFor(error)}.what`));
  };
  const onSuccess = (job: Job) => putJob(queries, job);

  const cancel = useMutation({
    mutationFn: (job: Job) => answer(api.DELETE("/job/{job_id}", path(job))),
    onSuccess,
    onError,
  });
  const retry = useMutation({
    mutationFn: (job: Job) => answer(api.POST("/job/{job_id}/retry", path(job))),
    onSuccess,
    onError,
  });
  const edit = useMutation({
    mutationFn: ({ job, to, keepalive = false }: Edit) =>
      answer(api.PATCH("/job/{job_id}", { ...path(job), body: to, keepalive })),
    onSuccess: (job) => {
      putJob(queries, job);
      void queries.invalidateQueries({ queryKey: ["jobs"] });
    },
    onError,
  });
  /** Whether it is saved; a failure is told like any other. A removed song has nothing left to write into. */
  const save = async (change: Edit): Promise<boolean> =>
    isRemoved(change.job.job_id) || edit.mutateAsync(change).then(() => true, () => false);
  const again = useMutation({
    mutationFn: ({ job, key }: { job: Job; key: string }) =>
      placeSong({ ...job.request, seed: null, title: job.title }, key),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["jobs"] }),
    onError,
  });

  const remove = (job: Job) => {
    prepareRemoval(job.job_id, {
      remove: (options) => answer(api.DELETE("/jobs/{job_id}", { ...path(job), ...options })),
      onRemoved: () => {
        queries.removeQueries({ queryKey: ["job", job.job_id] });
        return queries.invalidateQueries({ queryKey: ["jobs"] });
      },
      onError,
    });
    toast(t("song.removed"), {
      label: t("action.undo"),
      run: () => undoRemoval(job.job_id),
      lapse: () => void carryOutRemoval(job.job_id),
    });
  };

  return {
    cancel: (job: Job) => cancel.mutate(job),
    retry: (job: Job) => retry.mutate(job),
    rename: (job: Job, title: string, options: SaveOptions) => save({ job, to: { title }, ...options }),
    favour: (job: Job) => edit.mutate({ job, to: { favourite: !job.favourite } }),
    note: (job: Job, notes: string, options: SaveOptions) => save({ job, to: { notes }, ...options }),
    again: (job: Job, onPlaced: (jobId: string) => void) =>
      again.mutate({ job, key: randomKey() }, { onSuccess: (placed) => onPlaced(placed.job_id) }),
    remove,
    busy: cancel.isPending || retry.isPending || again.isPending,
  };
}

export type JobActions = ReturnType<typeof useJobActions>;
