/** The namespace `Job`: declaring a job and running it. */
export { type Job, make, outputs, Refused, sources, tables } from "./Job.ts"
export { runJob as run } from "../run/RunJob.ts"
export type { RunOptions, TaskObserver } from "../run/RunOptions.ts"
export { makeJobMonitor as monitor, type JobMonitor, type StageStatus } from "../run/JobMonitor.ts"
export type { LookupStatus } from "../lookup/LookupStatus.ts"
export { jobProgress as progress, type ShardProgress, type StageProgress } from "../run/JobProgress.ts"
