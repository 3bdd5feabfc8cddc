/**
 * Which works came to the end of a bounded input, whoever does them.
 *
 * A task says what ended; the stage behind a repartition asks for its writers', and a task of whose stage others have every
 * shard ends with them. `Job.run` keeps one of its own, unless several threads run the job: then they share what they know
 * (`Instances.ends`). **Guarantee**: what is here was committed before; it holds until the program ends.
 */
import { Deferred, Effect } from "effect"

export interface Ends {
  /** These came to their end, and that is committed. */
  readonly ended: (works: ReadonlyArray<string>) => void
  /** All of them have. */
  readonly haveEnded: (works: ReadonlyArray<string>) => boolean
  /** Ends when all of them have. */
  readonly awaitEnded: (works: ReadonlyArray<string>) => Effect.Effect<void>
}

export const makeEnds = (): Ends => {
  const all = new Set<string>()
  let more = Deferred.makeUnsafe<void>()
  const haveEnded: Ends["haveEnded"] = (works) => works.every((work) => all.has(work))
  return {
    ended: (works) => {
      for (const work of works) all.add(work)
      const before = more
      more = Deferred.makeUnsafe()
      Deferred.doneUnsafe(before, Effect.void)
    },
    haveEnded,
    awaitEnded: Effect.fnUntraced(function* (works) {
      while (!haveEnded(works)) yield* Deferred.await(more)
    })
  }
}
