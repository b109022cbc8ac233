// Signs of the map, drawn once on a canvas: shapes and Han characters from the fonts of the machine.
import type { Map as GlMap } from 'maplibre-gl'

const RATIO = 2
const FONT = '"Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif'
type Pen = CanvasRenderingContext2D

function add(map: GlMap, name: string, size: number, draw: (pen: Pen) => void): void {
  if (map.hasImage(name)) return
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = size * RATIO
  const pen = canvas.getContext('2d')
  if (!pen) return
  pen.scale(RATIO, RATIO)
  pen.translate(size / 2, size / 2)
  draw(pen)
  map.addImage(name, pen.getImageData(0, 0, canvas.width, canvas.height), { pixelRatio: RATIO })
}

function shape(pen: Pen, points: [number, number][], fill: string, stroke = '#0b141c', width = 1.5): void {
  pen.beginPath()
  points.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)))
  pen.closePath()
  pen.fillStyle = fill
  pen.fill()
  pen.strokeStyle = stroke
  pen.lineWidth = width
  pen.stroke()
}

function disc(pen: Pen, r: number, fill: string | null, stroke: string, width = 2, dash: number[] = []): void {
  pen.beginPath()
  pen.arc(0, 0, r, 0, Math.PI * 2)
  if (fill) {
    pen.fillStyle = fill
    pen.fill()
  }
  pen.setLineDash(dash)
  pen.strokeStyle = stroke
  pen.lineWidth = width
  pen.stroke()
  pen.setLineDash([])
}

function letter(pen: Pen, text: string, size: number, fill: string, y = 0): void {
  pen.font = `700 ${size}px ${FONT}`
  pen.textAlign = 'center'
  pen.textBaseline = 'middle'
  pen.fillStyle = fill
  pen.fillText(text, 0, y + 0.5)
}

const octagon = (r: number): [number, number][] => {
  const k = r * 0.414
  return [[-k, -r], [k, -r], [r, -k], [r, k], [k, r], [-k, r], [-r, k], [-r, -k]]
}
const square = (r: number): [number, number][] => [[-r, -r], [r, -r], [r, r], [-r, r]]

function cross(pen: Pen, r: number, colour: string): void {
  pen.strokeStyle = colour
  pen.lineWidth = 2
  pen.beginPath()
  for (const s of [1, -1]) {
    pen.moveTo(-r, -r * s)
    pen.lineTo(r, r * s)
  }
  pen.stroke()
}

export const FAMILY: Record<string, string> = { seepage: '#2ec4b6', movement: '#d67bff', wave: '#7db7ff', stonework: '#d9b36c', breach: '#ff8f8a', other: '#a9bac8' }

/** The sign of a hazard: character on a fill by family, bars for the grade; a closed one is faded and ticked. */
export function hazardIcon(map: GlMap, sign: string, family: string, grade: number, closed: boolean): string {
  const name = `hazard/${sign}/${family}/${grade}/${closed ? 'closed' : 'open'}`
  add(map, name, 34, (pen) => {
    pen.globalAlpha = closed ? 0.5 : 1
    pen.beginPath()
    pen.roundRect(-12, -15, 24, 23, 5)
    pen.fillStyle = FAMILY[family] ?? FAMILY.other!
    pen.fill()
    pen.strokeStyle = '#fff'
    pen.lineWidth = 1.5
    pen.stroke()
    letter(pen, sign, 16, '#04121f', -3.5)
    pen.globalAlpha = 1
    for (let i = 0; i < grade; i += 1) {
      pen.fillStyle = '#fff'
      pen.strokeStyle = '#0b141c'
      const x = (i - (grade - 1) / 2) * 8 - 3
      pen.fillRect(x, 11, 6, 4)
      pen.strokeRect(x, 11, 6, 4)
    }
    if (closed) letter(pen, '✓', 16, '#7fe0a3', -3)
  })
  return name
}

const LEVEL: Record<string, string> = { none: '#a9bac8', blue: '#5aa2ff', yellow: '#ffe45c', orange: '#f78a1d', red: '#e5262f' }

/** All signs that do not depend on the data. */
export function addIcons(map: GlMap): void {
  add(map, 'stone/ok', 12, (pen) => disc(pen, 3.2, '#35c46a', '#0b141c', 1))
  add(map, 'stone/moved', 18, (pen) => shape(pen, [[0, -7], [7.5, 6], [-7.5, 6]], '#ffe45c'))
  add(map, 'stone/moved-fast', 20, (pen) => shape(pen, octagon(8), '#e5262f', '#fff'))
  add(map, 'stone/offline', 14, (pen) => cross(pen, 4, '#a9bac8'))
  add(map, 'member/on-duty', 14, (pen) => disc(pen, 4.8, '#38c7e0', '#04222a', 1.5))
  add(map, 'member/unanswered', 16, (pen) => disc(pen, 5.2, '#0b141c', '#ffe45c', 2.4))
  add(map, 'member/lost-contact', 16, (pen) => disc(pen, 5.2, '#0b141c', '#a9bac8', 2, [3, 2.4]))
  add(map, 'member/sos', 40, (pen) => {
    disc(pen, 17, null, '#e5262f', 3)
    disc(pen, 12, '#e5262f', '#fff', 1.5)
    letter(pen, 'SOS', 9, '#fff')
  })
  add(map, 'chosen', 24, (pen) => disc(pen, 9, null, '#fff', 2))
  for (const low of [false, true]) {
    add(map, low ? 'depot/low' : 'depot', 24, (pen) => {
      shape(pen, square(9), '#8a6d3b', low ? '#ffe45c' : '#fff', low ? 2.5 : 1.5)
      letter(pen, '料', 12, '#fff')
    })
  }
  add(map, 'defence-point', 22, (pen) => shape(pen, [[-8, -8], [8, -8], [8, 1], [0, 9], [-8, 1]], '#2f6f8f', '#e6eef5'))
  for (const [state, mark] of [['not-started', ''], ['moving', '→'], ['done', '✓']] as const) {
    add(map, `village/${state}`, 22, (pen) => {
      shape(pen, square(8), '#e6eef5')
      if (mark) letter(pen, mark, 13, state === 'done' ? '#0c6b33' : '#0b141c')
    })
  }
  for (const flooded of [false, true]) {
    add(map, flooded ? 'shelter/flooded' : 'shelter', 24, (pen) => {
      const fill = flooded ? '#e5262f' : '#7fe0a3'
      shape(pen, [[-6, 0], [6, 0], [6, 8], [-6, 8]], fill)
      shape(pen, [[-9, 0], [0, -9], [9, 0]], fill)
      if (flooded) cross(pen, 6, '#fff')
    })
  }
  add(map, 'camera', 20, (pen) => {
    shape(pen, [[-8, -5], [3, -5], [3, 5], [-8, 5]], '#26384a', '#a9bac8')
    shape(pen, [[3, -1], [8, -4], [8, 4], [3, 1]], '#26384a', '#a9bac8')
  })
  add(map, 'route/flooded', 16, (pen) => cross(pen, 4.5, '#ff8f8a'))
  add(map, 'arrow', 16, (pen) => shape(pen, [[-5, -5], [6, 0], [-5, 5]], '#7fe0a3', '#0b141c', 1))
  for (const [level, colour] of Object.entries(LEVEL)) {
    add(map, `gauge/${level}`, 26, (pen) => {
      disc(pen, 9, '#0b141c', colour, 3)
      disc(pen, 2.6, colour, colour, 1)
    })
  }
  add(map, 'gauge/late', 26, (pen) => disc(pen, 9, '#0b141c', '#a9bac8', 2.5, [4, 3]))
  add(map, 'unstaffed', 16, (pen) => {
    pen.strokeStyle = '#a9bac8'
    pen.lineWidth = 1.2
    pen.beginPath()
    for (let k = -16; k <= 16; k += 8) {
      pen.moveTo(k - 8, 8)
      pen.lineTo(k + 8, -8)
    }
    pen.stroke()
  })
}
