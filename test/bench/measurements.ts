/** All that `npm run bench` measures, in order. */
import { propagation } from './measure/propagation.ts'
import { projection } from './measure/projection.ts'
import { start } from './measure/start.ts'
import type { Measurement } from './measurement.ts'

export const MEASUREMENTS: readonly Measurement[] = [propagation, projection, start]
