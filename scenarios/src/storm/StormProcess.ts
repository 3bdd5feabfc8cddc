/** A process of the storm: takes turns until the end is declared, or it is killed: `bun StormProcess.ts ROLE NUMBER RUN SEED PLACE`. */
import { makeRandom } from "@frazil/sim"
import { Clock, Effect } from "effect"
import { beginTurn, endTurn, hasEnded, tried, writeDown } from "./Diary.ts"
import { type Role, roles, stormLayer, type StormPlace } from "./StormPlace.ts"
import { pauseMsMax, type Said, takeTurn } from "./StormTurns.ts"

const [roleText, numberText, runText, seedText, placeText] = process.argv.slice(2)
const role = roles.find((each) => each === roleText)
if (role === undefined || placeText === undefined)
  throw new Error("usage: bun StormProcess.ts ROLE NUMBER RUN SEED PLACE")
const [number, run, seed] = [Number(numberText), Number(runText), Number(seedText)]
// what the scenario has just encoded
const place = JSON.parse(placeText) as StormPlace

/** What a user tries again. Whatever else fails ends the process, and with it the scenario. */
const again: ReadonlySet<string> = new Set(["CommitConflict", "RequirementFailed", "OutcomeUnknown", "Unavailable"])

/**
 * What only some roles try again: a commit that a killed catalog gave up has left newer metadata, and orphan removal refuses
 * until the next commit settles it.
 */
const againBy: Partial<Record<Role, ReadonlySet<string>>> = { orphans: new Set(["MetadataAhead"]) }

const turns = Effect.fnUntraced(function* (name: Role) {
  const random = makeRandom(seed)
  const who = `${name}-${number}`
  for (let turn = 0; !hasEnded(place); turn++) {
    beginTurn(place, who, yield* Clock.currentTimeMillis)
    const announce = (said: Said) => writeDown(place, { who, run, turn, came: tried, ...said })
    const came = yield* takeTurn(name, { who, run, turn, number, place, random, announce }).pipe(
      Effect.map((said) => ({ came: "done", ...said })),
      Effect.timeoutOrElse({
        duration: place.limits.attemptMsMax,
        orElse: () => Effect.succeed({ came: "given up in time" })
      }),
      Effect.catchIf(
        ({ reason }) => again.has(reason) || againBy[name]?.has(reason) === true,
        ({ message, reason }) => Effect.succeed({ came: reason, message })
      )
    )
    // **the commit returned**: only now is it acknowledged
    writeDown(place, { who, run, turn, ...came })
    endTurn(place, who)
    yield* Effect.sleep(random.below(pauseMsMax[name]))
  }
})

await Effect.runPromise(Effect.provide(turns(role), stormLayer(place)))
