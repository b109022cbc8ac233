"""Polls every device once a second with pymodbus: one client a gateway, its units one after another.

Reads its task as one line of JSON: ports, units, registers, timeout_ms.
"""
import asyncio
import json
import logging
import sys

from pymodbus.client import AsyncModbusTcpClient

logging.getLogger("pymodbus").setLevel(logging.CRITICAL)


async def gateway(port, task):
    client = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=task["timeout_ms"] / 1000, retries=0)
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        for unit in range(1, task["units"] + 1):
            try:
                if not client.connected:
                    await client.connect()
                await client.read_holding_registers(0, count=task["registers"], device_id=unit)
            except Exception:  # A dead device: the next poll tries again.
                client.close()
        due += 1
        await asyncio.sleep(max(0, due - loop.time()))


async def main():
    task = json.loads(sys.stdin.readline())
    await asyncio.gather(*(gateway(port, task) for port in task["ports"]))


asyncio.run(main())
