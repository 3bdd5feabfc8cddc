/** `frazil jobs describe JOB`: what a job reads and writes, its operators, and where each of its shards stands. */
import { fastCount, Job } from "@frazil/engine"
import { existingData, logLayer, type StageStatus, stageStatuses, Units } from "@frazil/platform"
import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { declared } from "../Declared.ts"
import { commonOptions } from "../Options.ts"
import { printJson, printLines } from "../Output.ts"
import { textFields, textTable } from "../print/TextTable.ts"
import { isoTime } from "../print/Values.ts"
import { jobOf } from "./DeclaredJob.ts"
import { stageJson } from "./JobText.ts"

const names = (topics: ReadonlyArray<{ readonly name: string }>) => topics.map(({ name }) => name)

const topicsOf = (job: Job.Job<string, unknown>) => ({
  reads: names(Job.sources(job)),
  writes: names(Job.outputs(job)),
  internal: names(Job.internals(job)),
  operators: job.graph.operators.filter(({ node }) => node.op !== "source").map(({ name }) => name)
})

const describe = (job: Job.Job<string, unknown>, stages: ReadonlyArray<StageStatus>) => ({
  job: job.name,
  ...topicsOf(job),
  stages: stages.map((stage) => ({ ...stageJson(stage), out: stage.counts.out }))
})

type Shard = StageStatus["shards"][number]

/** How many of the records that decode the scanner read by itself. */
const onFastPath = ({ counts }: StageStatus): string =>
  `${Units.count(fastCount(counts))} of ${Units.count(counts.in - (counts.undecoded ?? 0))} that decode`

const stageLines = (stage: StageStatus): ReadonlyArray<string> => [
  "",
  ...textFields([
    ["stage", `${stage.topic}, ${stage.state}`],
    ["records in", Units.count(stage.counts.in)],
    [
      "written",
      Object.entries(stage.counts.out)
        .map(([topic, count]) => `${topic} ${Units.count(count)}`)
        .join(", ") || "-"
    ],
    ["dead-lettered", Units.count(stage.counts.deadLettered)],
    ["fast path", onFastPath(stage)],
    ["behind", Units.count(stage.lag)],
    ["watermark", isoTime(stage.watermarkMs) ?? "-"],
    ...(stage.problem === undefined ? [] : [["problem", stage.problem] as const])
  ]),
  ...(stage.shards.length === 0 ? [] : ["", ...shardLines(stage.shards)])
]

const shardLines = (shards: ReadonlyArray<Shard>): ReadonlyArray<string> =>
  textTable<Shard>(
    [
      { title: "PARTITION", text: (row) => String(row.partition), align: "right" },
      { title: "EPOCH", text: (row) => Units.count(row.epoch), align: "right" },
      { title: "NEXT", text: (row) => Units.count(row.position), align: "right" },
      { title: "END", text: (row) => Units.count(row.end), align: "right" },
      { title: "SNAPSHOTS", text: (row) => String(row.snapshots.length), align: "right" },
      { title: "EVENT TIME", text: (row) => isoTime(row.detail.maxEventTime ?? undefined) ?? "-" },
      { title: "", text: (row) => (row.detail.idle ? "idle" : "") }
    ],
    shards
  )

const lines = (job: Job.Job<string, unknown>, stages: ReadonlyArray<StageStatus>): ReadonlyArray<string> => {
  const { internal, operators, reads, writes } = topicsOf(job)
  return [
    ...textFields([
      ["job", job.name],
      ["reads", reads.join(", ")],
      ["writes", writes.join(", ") || "-"],
      ...(internal.length === 0 ? [] : [["between its stages", internal.join(", ")] as const]),
      ["operators", operators.join(", ")]
    ]),
    ...stages.flatMap(stageLines)
  ]
}

export const describeJob = Command.make(
  "describe",
  { job: Argument.String("JOB").pipe(Argument.withDescription("Name of the job")), ...commonOptions },
  Effect.fnUntraced(function* (given) {
    const directory = yield* existingData(given)
    const job = yield* jobOf(given.job)
    const stages = (yield* stageStatuses(directory, declared).pipe(Effect.provide(logLayer(directory)))).filter(
      (stage) => stage.job === job.name
    )
    yield* given.json ? printJson(describe(job, stages)) : printLines(lines(job, stages))
  })
).pipe(Command.withDescription("Shows what a job reads and writes, its operators, and where its shards stand"))
