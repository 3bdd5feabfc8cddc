/**
 * Tells other connections of this program to the same log file of commits at once, whatever thread they are in.
 *
 * `CommitSignal` posts and hears; other processes are not told and look for themselves. **Guarantee**: what is heard was
 * committed before. Nothing rests on hearing everything: who misses a message, as on Deno, finds the commit when it looks next.
 */
import { realpathSync } from "node:fs"
import { BroadcastChannel } from "node:worker_threads"
import { Effect, Option, Schema, type Scope } from "effect"
import type { Topics } from "./CommitSignal.ts"

export interface CommitChannel {
  /** A commit that appended to these topics. */
  readonly tell: (topics: Topics) => void
}

const decodeTopics = Schema.decodeUnknownOption(Schema.Array(Schema.String))

/** For databases in memory, which nobody else has. */
const silent: CommitChannel = { tell: () => {} }

/** `hear` is called with the topics of others' commits; undefined: any. */
export const openCommitChannel = (
  file: string,
  hear: (topics: Topics) => void
): Effect.Effect<CommitChannel, never, Scope.Scope> => {
  if (file === ":memory:") return Effect.succeed(silent)
  const open = Effect.sync(() => {
    const channel = new BroadcastChannel(`frazil-log ${realpathSync(file)}`)
    channel.onmessage = (message: unknown) => hear(topicsOf(message))
    return channel
  })
  return Effect.map(
    Effect.acquireRelease(open, (channel) => Effect.sync(() => channel.close())),
    (channel): CommitChannel => ({ tell: (topics) => channel.postMessage(topics) })
  )
}

const topicsOf = (message: unknown): Topics =>
  typeof message === "object" && message !== null && "data" in message
    ? Option.getOrUndefined(decodeTopics(message.data))
    : undefined
