/** A job of this build, by the name that a person gives. */
import { Effect } from "effect"
import { CommandError } from "../CommandError.ts"
import { declared } from "../Declared.ts"

/** The declared job of that name. */
export const jobOf = (name: string) => {
  const job = declared.jobs.find((each) => each.name === name)
  if (job !== undefined) return Effect.succeed(job)
  const names = declared.jobs.map((each) => each.name).toSorted()
  return Effect.fail(
    new CommandError({ message: `there is no job ${name} in this build; there are ${names.join(", ")}` })
  )
}
