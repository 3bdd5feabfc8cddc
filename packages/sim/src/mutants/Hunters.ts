/** What a mutant may be noticed by: simulated jobs, damage done from outside, and readers beside retention. */
import { simulatedJobs } from "../jobs/Jobs.ts"
import { damageCases } from "../damage/DamageCases.ts"
import { huntRetention } from "./RetentionHunter.ts"
import { huntSharing } from "./ShareHunter.ts"

/** What seed `seed` notices; undefined when nothing is wrong. */
export type Hunter = (seed: number) => string | undefined

const simulating =
  (job: string): Hunter =>
  (seed) => {
    try {
      return simulatedJobs[job]!({ seed }).violations[0]
    } catch (error) {
      return `the world broke: ${String(error)}`
    }
  }

/** Seed N does the N-th damage. */
const damaging: Hunter = (seed) => {
  const damage = damageCases[(seed - 1) % damageCases.length]!
  const wrong = damage.run()
  return wrong === undefined ? undefined : `${damage.name}: ${wrong}`
}

export const hunters: Readonly<Record<string, Hunter>> = {
  transactions: simulating("transactions"),
  accounts: simulating("accounts"),
  lookups: simulating("lookups"),
  sequences: simulating("sequences"),
  "sequences-on-disk": simulating("sequences-on-disk"),
  market: simulating("market"),
  "market-on-disk": simulating("market-on-disk"),
  exchange: simulating("exchange"),
  windows: simulating("windows"),
  "windows-on-disk": simulating("windows-on-disk"),
  repartition: simulating("repartition"),
  bids: simulating("bids"),
  "bids-on-disk": simulating("bids-on-disk"),
  stored: simulating("stored"),
  "tables-on-disk": simulating("tables-on-disk"),
  "by-the-clock": simulating("by-the-clock"),
  damage: damaging,
  retention: huntRetention,
  sharing: huntSharing
}
