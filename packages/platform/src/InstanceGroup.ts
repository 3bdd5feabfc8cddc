/**
 * The instances of a pipeline on one Kafka log: what this one is called, and its place among them.
 *
 * Without a name of its own, an instance is called by its machine, its data directory and the first number that is free
 * there: one that died and is started again has the same name, and with it its work, at once.
 */
import { createHash } from "node:crypto"
import { hostname } from "node:os"
import { holdJobLock, kafkaAccess, type KafkaGroup, openKafkaInstances } from "@frazil/connect"
import { LogError } from "@frazil/engine"
import { Effect, type Scope } from "effect"
import type { DataDirectory } from "./DataDirectory.ts"
import { readConnections, settingsPath } from "./SettingsFile.ts"

export interface InstanceOptions {
  /** Given by a person: the place is kept for a while after the instance ends. */
  readonly name: string | undefined
  readonly onShare: (mine: number, offered: number) => void
}

/** Instances of one data directory. */
const instancesMax = 256

const group = "frazil"

const refused = (message: string) => new LogError({ reason: "Refused", message })

/** The first number that no other instance on the data directory has; held until the scope ends. */
const takeNumber = Effect.fnUntraced(function* (directory: DataDirectory) {
  for (let number = 0; number < instancesMax; number++) {
    const held = yield* holdJobLock({ job: `instance-${number}`, dataDirectory: directory.root }).pipe(
      Effect.as(true),
      Effect.catchTag("JobAlreadyRunning", () => Effect.succeed(false))
    )
    if (held) return number
  }
  return yield* refused(`${instancesMax} instances run on ${directory.root}: give this one another data directory`)
})

const nameOf = Effect.fnUntraced(function* (directory: DataDirectory) {
  const place = createHash("sha256").update(directory.root).digest("hex").slice(0, 8)
  return `${hostname()}-${place}-${yield* takeNumber(directory)}`
})

/** This instance's place in the group; undefined where the log is embedded, which has one instance. */
export const openInstanceGroup = Effect.fnUntraced(function* (
  directory: DataDirectory,
  { name, onShare }: InstanceOptions
): Effect.fn.Return<(KafkaGroup & { readonly name: string }) | undefined, LogError, Scope.Scope> {
  const { log } = directory
  if (log._tag === "Embedded") return undefined
  const access = yield* readConnections(settingsPath).pipe(
    Effect.flatMap(({ connections }) => kafkaAccess(connections, log.brokers)),
    Effect.mapError(({ message }) => refused(message))
  )
  const called = name ?? (yield* nameOf(directory))
  const options = { brokers: log.brokers, ...access, group, name: called, staysAtEnd: name !== undefined, onShare }
  return { ...(yield* openKafkaInstances(options)), name: called }
})
