// A Modbus TCP client of a few lines: it writes one 32-bit value, high word first, by function 16.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';

export async function writeU32(port, unit, register, value) {
  const request = Buffer.alloc(17);
  request.writeUInt16BE(1, 0); // transaction
  request.writeUInt16BE(11, 4); // bytes that follow
  request.writeUInt8(unit, 6);
  request.writeUInt8(16, 7);
  request.writeUInt16BE(register, 8);
  request.writeUInt16BE(2, 10); // registers
  request.writeUInt8(4, 12); // bytes of them
  request.writeUInt32BE(value, 13);
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    socket.write(request);
    const [reply] = await once(socket, 'data', { signal: AbortSignal.timeout(5000) });
    assert.deepEqual([...reply], [0, 1, 0, 0, 0, 6, unit, 16, ...request.subarray(8, 12)], 'the device took the value');
  } finally {
    socket.destroy();
  }
}
