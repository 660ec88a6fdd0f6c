//! What a certificate says: whose it is, and from when until when.

use std::time::SystemTime;

use der::{Reader, SliceReader, Tag, TagNumber, Tagged, asn1, asn1::AnyRef};
use rustls::pki_types::CertificateDer;

use crate::transport::Identity;

/// Whom a certificate is for: its URI, else its first DNS name that is not a wildcard. `Err` has the number of URIs when there
/// are several.
pub(super) fn identity(certificate: &CertificateDer<'_>) -> Result<Option<Identity>, usize> {
    let Ok(certificate) = webpki::EndEntityCert::try_from(certificate) else { return Ok(None) };
    let mut uris = certificate.valid_uri_names();
    if let Some(uri) = uris.next() {
        return match uris.count() {
            0 => Ok(Some(Identity::new(uri))),
            more => Err(1 + more),
        };
    }
    let mut names = certificate.valid_dns_names().filter(|name| !name.starts_with('*'));
    Ok(names.next().map(|name| Identity::new(name.to_ascii_lowercase())))
}

/// Whom a client's certificate is for, if it showed one. `Err` says why it cannot be let in.
pub(in crate::transport) fn caller(chain: Option<&[CertificateDer<'_>]>) -> Result<Option<Identity>, String> {
    let Some(certificate) = chain.and_then(|chain| chain.first()) else { return Ok(None) };
    identity(certificate).map_err(|count| format!("its certificate has {count} URIs and thus no identity"))
}

/// Whether it, or who issued it, has a text in its name.
pub(super) fn mentions(certificate: &CertificateDer<'_>, text: &str) -> bool {
    let found = |name: &[u8]| name.windows(text.len()).any(|part| part == text.as_bytes());
    webpki::EndEntityCert::try_from(certificate)
        .is_ok_and(|certificate| found(certificate.subject()) || found(certificate.issuer()))
}

/// From when until when it is valid.
///
/// RFC 5280, section 4.1: `Certificate ::= SEQUENCE { tbsCertificate SEQUENCE { [0] version, serialNumber, signature, issuer,
/// validity SEQUENCE { notBefore, notAfter }, … }, … }`.
pub(super) fn validity(certificate: &CertificateDer<'_>) -> der::Result<(SystemTime, SystemTime)> {
    let mut outer = SliceReader::new(certificate)?;
    let mut certificate = inside(&mut outer)?;
    let mut fields = inside(&mut certificate)?;
    let first: AnyRef<'_> = fields.decode()?;
    let version = first.tag() == (Tag::ContextSpecific { constructed: true, number: TagNumber(0) });
    // Without a version, the first of the three was the serial number.
    for _serial_signature_issuer in 0..if version { 3 } else { 2 } {
        let _: AnyRef<'_> = fields.decode()?;
    }
    let mut validity = inside(&mut fields)?;
    Ok((time(&mut validity)?, time(&mut validity)?))
}

/// What the next sequence holds.
fn inside<'r>(reader: &mut SliceReader<'r>) -> der::Result<SliceReader<'r>> {
    let sequence: AnyRef<'r> = reader.decode()?;
    sequence.tag().assert_eq(Tag::Sequence)?;
    SliceReader::new(sequence.value())
}

/// A time in one of its two forms: with two digits for the year until 2049, with four from then on.
fn time(reader: &mut SliceReader<'_>) -> der::Result<SystemTime> {
    let time: AnyRef<'_> = reader.decode()?;
    match time.tag() {
        Tag::UtcTime => time.decode_as::<asn1::UtcTime>().map(|time| time.to_system_time()),
        _ => time.decode_as::<asn1::GeneralizedTime>().map(|time| time.to_system_time()),
    }
}
