//! CRC-16 with the generator x¹⁶+x¹⁵+x²+1, reflected, start FFFF: the sum of Modbus, but its high byte goes first here.

const TABLE: [u16; 256] = table();

const fn table() -> [u16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut sum = byte as u16;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ 0xa001 } else { sum >> 1 };
            bit += 1;
        }
        table[byte] = sum;
        byte += 1;
    }
    table
}

/// The sum over the bytes from the first start byte to the end character, both included.
pub fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xffff, |sum, byte| {
        let [_, low] = (sum ^ u16::from(*byte)).to_be_bytes();
        (sum >> 8) ^ TABLE.get(usize::from(low)).copied().unwrap_or(0)
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn sl651_crc_of_the_check_text() {
        assert_eq!(super::crc16(b"123456789"), 0x4b37);
        assert_eq!(super::crc16(b""), 0xffff);
    }
}
