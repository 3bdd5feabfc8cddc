/**
 * Runs the peers of a folder on a workload that we have just run, over the same file: what each cost, whether its answer is
 * ours, and how ours compares. One that is not installed is named and left out.
 */
import { globSync } from "node:fs"
import { basename, dirname, join, resolve } from "node:path"
import { type Fields, lastObject } from "../support/Benchmark.ts"
import { median } from "../support/Measure.ts"
import { type Peer, type PeerBound, type PeerInput, peers } from "./Peer.ts"
import { runTree, type TreeRun } from "./RunPeer.ts"
import { differingFields } from "./SameAnswer.ts"

export interface Comparison {
  readonly peer: string
  /** `equal`, or what is wrong. */
  readonly answer: string
  /** Microseconds of CPU an event, start-up included. */
  readonly cpuMicros?: number
  /** Of a later pass in the same process. */
  readonly warmMicros?: number
  readonly wallSeconds?: number
  readonly rssMb?: number
  /** Ours over theirs, by `basis`. */
  readonly ratio?: number
  readonly basis?: PeerBound["basis"]
  /** Ours is at most one over this. */
  readonly bound?: number
  /** Not where the answer is another one, or there is none. */
  readonly kept?: boolean
}

/** The topics that the set-up loads, by the file that they hold. */
const topics: ReadonlySet<string> = new Set(["t2m", "t200k"])

export const peerInput = (directory: string, file: string): PeerInput => {
  const path = resolve(file)
  const name = basename(path, ".ndjson")
  const loaded = topics.has(name) && dirname(path) === join(resolve(directory), "data")
  return { file: path, topic: loaded ? name : undefined }
}

const secondsOf = (value: unknown): ReadonlyArray<number> => (Array.isArray(value) ? value.map(Number) : [])

/** CPU of the first pass with start-up, and of a warm one; microseconds. */
const costOf = ({ cpuMicros }: TreeRun, fields: Fields) => {
  const [, ...later] = secondsOf(fields["cpus"]).map((seconds) => seconds * 1e6)
  const cold = Number(fields["cold_cpu"])
  const whole =
    later.length === 0 ? cpuMicros : cold > 0 ? cold * 1e6 : cpuMicros - later.reduce((sum, each) => sum + each, 0)
  return { whole, warm: later.length === 0 ? undefined : median(later) }
}

const round = (value: number) => Number(value.toFixed(3))

const compared = (peer: Peer, workload: string, ours: Fields, run: TreeRun, fields: Fields): Comparison => {
  const events = Number(ours["n"])
  const { warm, whole } = costOf(run, fields)
  const bound = peer.bounds?.[workload]
  const basis = bound?.basis ?? (warm === undefined ? "whole" : "warm")
  const theirs = (basis === "warm" ? (warm ?? whole) : whole) / events
  const ratio = Number(ours["wholeMicrosPerEvent"] ?? ours["cpuMicrosPerEvent"]) / theirs
  const differing = differingFields(workload, ours, fields)
  return {
    peer: peer.name,
    answer: differing.length === 0 ? "equal" : `differs: ${differing.join(", ")}`,
    cpuMicros: round(whole / events),
    ...(warm === undefined ? {} : { warmMicros: round(warm / events) }),
    wallSeconds: round(Number(fields["cold_wall"] ?? run.wallSeconds)),
    ...(run.rssMb === undefined ? {} : { rssMb: run.rssMb }),
    ratio: round(ratio),
    basis,
    ...(bound === undefined ? {} : { bound: bound.over, kept: differing.length === 0 && ratio <= 1 / bound.over })
  }
}

const broker = (directory: string, action: "start" | "stop") =>
  runTree(["bash", "kstreams/broker.sh", action], directory)

/** Of their `broker.sh`. */
const brokerPort = 19_192

const brokerAnswers = (directory: string): boolean =>
  runTree(["bash", "-c", `exec 3<>/dev/tcp/127.0.0.1/${brokerPort}`], directory).exitCode === 0

/** The topic that holds the file, for ours to read from the same broker. */
export const peersTopic = (directory: string, file: string): string | undefined => {
  const { topic } = peerInput(directory, file)
  return topic === undefined ? undefined : `kafka://127.0.0.1:${brokerPort}/${topic}`
}

/** Runs it with the peers' own broker up; stops that when it was not. */
export const withBroker = <A>(directory: string, run: () => A): A => {
  const running = brokerAnswers(directory)
  if (!running) broker(directory, "start")
  try {
    return run()
  } finally {
    if (!running) broker(directory, "stop")
  }
}

/** Nothing to compare with: a bound that was to be held against it is not. */
const without = (peer: Peer, workload: string, answer: string): Comparison => {
  const bound = peer.bounds?.[workload]
  return {
    peer: peer.name,
    answer,
    ...(bound === undefined ? {} : { basis: bound.basis, bound: bound.over, kept: false })
  }
}

const runPeer = (
  peer: Peer,
  directory: string,
  workload: string,
  ours: Fields,
  words: ReadonlyArray<string>
): Comparison => {
  const run = runTree(words, directory)
  const told = lastObject(run.printed)
  if (run.exitCode !== 0 || told === undefined) {
    const why = run.said.trim().split("\n").at(-1)
    return without(peer, workload, `failed with code ${run.exitCode ?? "none"}${why ? `: ${why}` : ""}`)
  }
  return compared(peer, workload, ours, run, told.fields)
}

export const comparePeers = (
  directory: string,
  workload: string,
  file: string,
  ours: Fields,
  tell: (text: string) => void
): ReadonlyArray<Comparison> => {
  const input = peerInput(directory, file)
  return peers.flatMap((peer): ReadonlyArray<Comparison> => {
    const words = peer.command(workload, input)
    if (words === undefined) return []
    const missing = peer.needs.find((path) => globSync(path, { cwd: directory }).length === 0)
    if (missing !== undefined) return [without(peer, workload, `not installed: ${missing} is not there`)]
    if (peer.onlyTopics === true && input.topic === undefined)
      return [without(peer, workload, "left out: its topics hold data/t2m.ndjson and data/t200k.ndjson only")]
    tell(`${workload}: ${peer.name}`)
    const run = () => runPeer(peer, directory, workload, ours, words)
    return [peer.onlyTopics === true ? withBroker(directory, run) : run()]
  })
}
