"""A Modbus TCP device made of pymodbus alone: a peer that the poller did not grow up with.

Prints its port, then serves until its standard input closes.
Unit 4: 0000H rain 12.3 mm, 0002H stage 93820 mm, 0004H discharge 22300000 L/s, high word first.
Unit 5: input registers 100 (status) and 106 (32-bit float, low word first).
"""
import asyncio
import sys

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice


def words(value):
    return [value >> 16, value & 0xFFFF]


async def main():
    holding = [123, 0, *words(93820), *words(22300000)]
    floats = [0x1999, 0x42BB]  # 93.549995 as CDAB
    devices = [
        SimDevice(4, simdata=[SimData(0, values=holding, datatype=DataType.REGISTERS)]),
        SimDevice(
            5,
            simdata=[
                SimData(100, values=[0, 0, 0, 0, 0, 0, *floats], datatype=DataType.REGISTERS),
            ],
        ),
    ]
    server = ModbusTcpServer(devices, address=("127.0.0.1", 0))
    task = asyncio.create_task(server.serve_forever())
    while server.transport is None:
        await asyncio.sleep(0.01)
    print(server.transport.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.shutdown()
    await task


asyncio.run(main())
