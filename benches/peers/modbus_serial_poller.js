// Polls every device once a second with modbus-serial, the client below Node-RED's Modbus nodes: one client a gateway, its
// units one after another. Reads its task as one line of JSON: ports, units, registers, timeout_ms.
const ModbusRTU = require('modbus-serial');
const wait = (ms) => new Promise((done) => setTimeout(done, Math.max(0, ms)));

async function gateway(port, task) {
  let client = null;
  let due = performance.now();
  for (;;) {
    for (let unit = 1; unit <= task.units; unit += 1) {
      try {
        if (!client || !client.isOpen) {
          client = new ModbusRTU();
          await client.connectTCP('127.0.0.1', { port });
          client.setTimeout(task.timeout_ms);
        }
        client.setID(unit);
        await client.readHoldingRegisters(0, task.registers);
      } catch {
        if (client) client.close(() => {}); // A dead device: the next poll tries again.
        client = null;
      }
    }
    due += 1000;
    await wait(due - performance.now());
  }
}

require('node:readline').createInterface({ input: process.stdin }).once('line', (line) => {
  const task = JSON.parse(line);
  task.ports.forEach((port) => gateway(port, task));
});
