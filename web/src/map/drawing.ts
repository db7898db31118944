/** Drawing on a map is the same in the portal and in pages that departments build: it comes from the SDK. */
export { draw, type Drawn, type DrawOptions } from '../../sdk/src/draw';
