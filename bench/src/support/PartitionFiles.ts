/**
 * A log whose one topic is a file for each partition, and whose commits are only counted: the file as source on several threads.
 *
 * Each thread opens one and reads the files of its own partitions; `FileLog.ts` is the same for one file.
 */
import { type Append, Log, type LogShape, type TopicInfo } from "@frazil/engine"
import { Effect, Layer } from "effect"
import { empty, type FileCursor, openFile, positioned } from "./FileLog.ts"
import { forgetful } from "./ForgetfulLog.ts"

export const makePartitionLog = (
  topic: string,
  files: ReadonlyArray<string>,
  taken: (append: Append) => void = () => {}
): Layer.Layer<Log> => {
  const cursors = new Map<number, FileCursor>()
  const cursorOf = (partition: number): FileCursor => {
    const known = cursors.get(partition) ?? openFile(files[partition]!)
    cursors.set(partition, known)
    return known
  }
  const info = (name: string): TopicInfo => ({
    name,
    id: name,
    partitions: name === topic ? files.length : 1,
    createdAt: 0
  })
  const end = (partition: number) => (cursors.get(partition)?.done() === true ? 0 : Number.MAX_SAFE_INTEGER)
  const log: LogShape = {
    ...forgetful,
    ensureTopic: ({ name }) => Effect.succeed(info(name)),
    topic: (name) => Effect.succeed(info(name)),
    bounds: () => Effect.sync(() => files.map((_, partition) => ({ partition, start: 0, end: end(partition) }))),
    read: (name, partition, offset) =>
      Effect.sync(() => {
        if (name !== topic) return positioned(empty, offset)
        const cursor = cursorOf(partition)
        return positioned(cursor.done() ? empty : cursor.next(), offset)
      }),
    commit: ({ shards }) =>
      Effect.sync(() => {
        const outputs = shards.flatMap((shard) => shard.outputs)
        outputs.forEach(taken)
        return outputs.map(({ partition, topic: to }) => ({ topic: to, partition, offset: 0 }))
      })
  }
  return Layer.succeed(Log, log)
}
