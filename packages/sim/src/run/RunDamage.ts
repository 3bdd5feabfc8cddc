/** Does every damage that is known, and says what came of it. */
import { damageCases } from "../damage/DamageCases.ts"
import { say } from "./Tell.ts"

/** Whether each ended as it must. */
export const runDamage = (): boolean => {
  let passed = true
  for (const { name, run } of damageCases) {
    const wrong = run()
    if (wrong !== undefined) passed = false
    say(`${wrong === undefined ? "ok  " : "FAIL"} ${name}${wrong === undefined ? "" : `: ${wrong}`}`)
  }
  return passed
}
