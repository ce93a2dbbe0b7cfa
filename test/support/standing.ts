import type { TestFleet } from './fleet.ts'

/** What must be as it was after something was refused: the log, the routes and the traffic of `shop.test`. */
export const standing = async (fleet: TestFleet) => {
  const proxy = fleet.proxy('proxy-1')
  const routes = await proxy.admin('/routes')
  const { status, body } = await proxy.ask('shop.test')
  return { position: await fleet.position(), routes: routes.text, status, body }
}
