"""A Modbus device made of pymodbus alone: a peer that the poller did not grow up with.

Prints where it is, then serves until its standard input closes. First argument: tcp (default), rtu-over-tcp,
tls (then certificate and key), or serial: a pair of pseudo terminals stands for the line, and its far end is printed.
Unit 4: 0000H rain 12.3 mm, 0002H stage 93820 mm, 0004H discharge 22300000 L/s, high word first.
Unit 5: input registers 100 (status) and 106 (32-bit float, low word first).
"""
import asyncio
import os
import ssl
import sys
import threading
import tty

from pymodbus import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer, ModbusTlsServer
from pymodbus.simulator import DataType, SimData, SimDevice


def words(value):
    return [value >> 16, value & 0xFFFF]


def devices():
    holding = [123, 0, *words(93820), *words(22300000)]
    floats = [0x1999, 0x42BB]  # 93.549995 as CDAB
    return [
        SimDevice(4, simdata=[SimData(0, values=holding, datatype=DataType.REGISTERS)]),
        SimDevice(
            5,
            simdata=[
                SimData(100, values=[0, 0, 0, 0, 0, 0, *floats], datatype=DataType.REGISTERS),
            ],
        ),
    ]


def line():
    """Two pseudo terminals whose masters are joined: what is written into one end comes out of the other."""
    ends = [os.openpty() for _ in range(2)]
    for master, slave in ends:
        tty.setraw(slave)

    def carry(source, target):
        while data := os.read(source, 4096):
            os.write(target, data)

    masters = [master for master, _ in ends]
    for source, target in (masters, masters[::-1]):
        threading.Thread(target=carry, args=(source, target), daemon=True).start()
    return [os.ttyname(slave) for _, slave in ends]


async def main():
    kind = sys.argv[1] if len(sys.argv) > 1 else "tcp"
    where = None
    if kind == "serial":
        own, where = line()
        server = ModbusSerialServer(devices(), port=own, baudrate=115200)
    elif kind == "tls":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[2], sys.argv[3])
        server = ModbusTlsServer(devices(), framer=FramerType.SOCKET, address=("127.0.0.1", 0), sslctx=context)
    else:
        framer = FramerType.RTU if kind == "rtu-over-tcp" else FramerType.SOCKET
        server = ModbusTcpServer(devices(), framer=framer, address=("127.0.0.1", 0))
    task = asyncio.create_task(server.serve_forever())
    while server.transport is None:
        await asyncio.sleep(0.01)
    print(where or server.transport.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.shutdown()
    await task


asyncio.run(main())
