// Patterns by which parts of a chart are told apart without their colours.

export type Pattern = 'solid' | 'stripes' | 'dots' | 'cross';

/** What a canvas fills with: the colour, with lines or dots of the ground on it. */
export function fillOf(paint: string, ground: string, pattern: Pattern): string | CanvasPattern {
  if (pattern === 'solid') return paint;
  const tile = document.createElement('canvas');
  const size = 8;
  tile.width = size;
  tile.height = size;
  const context = tile.getContext('2d');
  if (context === null) return paint;
  context.fillStyle = paint;
  context.fillRect(0, 0, size, size);
  context.strokeStyle = ground;
  context.fillStyle = ground;
  context.lineWidth = 1.4;
  context.globalAlpha = 0.75;
  context.beginPath();
  if (pattern === 'dots') {
    context.arc(size / 2, size / 2, 1.5, 0, 7);
    context.fill();
  } else {
    // The corners too, so that tiles join.
    for (const shift of [-size, 0, size]) {
      context.moveTo(shift, size);
      context.lineTo(shift + size, 0);
      if (pattern === 'cross') {
        context.moveTo(shift, 0);
        context.lineTo(shift + size, size);
      }
    }
    context.stroke();
  }
  return context.createPattern(tile, 'repeat') ?? paint;
}
