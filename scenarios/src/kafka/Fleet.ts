/** Pipelines on one Kafka log and one warehouse: started, stopped and killed while they work. */
import { Effect, Exit, Scope } from "effect"
import type { Folder } from "../Folder.ts"
import { type AppProcess, startApp } from "../Process.ts"

export interface Fleet {
  readonly start: Effect.Effect<void>
  /** Ctrl-C to one of them, and waits for its end; fails the run when that is no good one. */
  readonly stop: (which: number) => Effect.Effect<void>
  readonly kill: (which: number) => Effect.Effect<void>
  readonly size: () => number
  /** Each has told of its work, so that it has the broker: one that finds none at its start ends, as it should. */
  readonly atWork: Effect.Effect<void>
  readonly peakBytes: () => number
  /** Ends of pipelines that nobody had asked for. */
  readonly unasked: () => ReadonlyArray<string>
}

interface Member {
  readonly scope: Scope.Closeable
  readonly app: AppProcess
  asked: boolean
}

const stopSignal = "SIGINT"
const lookMs = 100
/** For one that hangs: a start takes seconds, on a slow machine many of them. */
const startMsMax = 120_000

/** Each pipeline with the same arguments, as on as many machines. */
export const makeFleet = Effect.fnUntraced(function* (folder: Folder, args: ReadonlyArray<string>) {
  const members: Array<Member> = []
  const all: Array<Member> = []
  const unasked: Array<string> = []
  const fleetScope = yield* Effect.scope
  const take = (which: number) => {
    const member = members.splice(which, 1)[0]!
    member.asked = true
    return member
  }
  const fleet: Fleet = {
    start: Effect.gen(function* () {
      const scope = yield* Scope.fork(fleetScope)
      const app = yield* Scope.provide(startApp("pipeline", args, folder.path), scope)
      const member: Member = { scope, app, asked: false }
      members.push(member)
      all.push(member)
      yield* Effect.forkIn(
        Effect.map(app.ended, (code) => {
          if (member.asked) return
          members.splice(members.indexOf(member), 1)
          unasked.push(`ended with ${code}: ${app.lines().slice(-5).join(" | ")}`)
        }),
        scope
      )
    }),
    stop: Effect.fnUntraced(function* (which) {
      const { app, scope } = take(which)
      app.child.kill(stopSignal)
      const code = yield* app.ended
      if (code !== 0) unasked.push(`stopped with ${code}: ${app.lines().slice(-5).join(" | ")}`)
      yield* Scope.close(scope, Exit.void)
    }),
    kill: Effect.fnUntraced(function* (which) {
      yield* Scope.close(take(which).scope, Exit.void)
    }),
    size: () => members.length,
    atWork: Effect.gen(function* () {
      // its first line says what it will do, the next one what it did
      const silent = ({ app }: Member) => app.lines().filter((line) => line !== "").length < 2
      while (members.some(silent)) yield* Effect.sleep(lookMs)
    }).pipe(Effect.timeoutOption(startMsMax), Effect.asVoid),
    peakBytes: () => Math.max(0, ...all.map(({ app }) => app.peakBytes())),
    unasked: () => unasked
  }
  return fleet
})
