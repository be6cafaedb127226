using System.Buffers.Text;
using System.Security.Cryptography;
using Org.BouncyCastle.Math.EC.Rfc8032;
using TrackMate.Bind;

namespace TrackMate.Manage;

/// <summary>A key with which a company signs tokens. The key has a fixed algorithm: a public key is never used as a secret, whatever a token's header says.</summary>
/// <param name="Kid">The key id in a token's header.</param>
/// <param name="Key">The secret as UTF-8 bytes (HS256) or the 32 bytes of the public key (EdDSA). Null if it is revoked, or if the data folder no longer has the key that encrypted it.</param>
public sealed record TokenKey(long Number, long Company, string Kid, TokenAlgorithm Algorithm, byte[]? Key, long CreatedAt, long? RevokedAt)
{
    /// <summary>The most active keys: the old one and the new one.</summary>
    public const int MostInForce = 2;

    public const int MaxKidLength = 64;

    private const string Prefix = "tm_sign_";
    private const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    private static readonly byte[] PublicKeyInfo = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

    /// <summary>A new secret for HS256: 43 random digits of 62, which is 256 bits. The text itself is the key, so nobody has to decode it.</summary>
    public static string NewSecret() => Prefix + RandomNumberGenerator.GetString(Digits, 43);

    public static string NewKid() => RandomNumberGenerator.GetString("0123456789abcdefghijkmnpqrstuvwxyz", 8);

    /// <summary>Whether a kid is 1 to 64 letters, digits, dots, dashes or underscores.</summary>
    public static bool IsKid(string text) => text.Length is >= 1 and <= MaxKidLength && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');

    /// <summary>Reads an Ed25519 public key: PEM (SubjectPublicKeyInfo, RFC 8410), or its 32 bytes in base64url as in <c>x</c> of a JWK (RFC 8037).</summary>
    /// <exception cref="FormatException">The text is no such key. The message says what to supply.</exception>
    public static byte[] ReadPublicKey(string text)
    {
        text = text.Trim();
        if (text.Contains("PRIVATE KEY", StringComparison.Ordinal)) throw new FormatException("this is a private key, which stays where tokens are signed; give its public key: openssl pkey -in private.pem -pubout");
        var key = text.Contains("-----BEGIN", StringComparison.Ordinal) ? FromPem(text) : FromBase64Url(text);
        return Ed25519.ValidatePublicKeyFull(key, 0) ? key : throw new FormatException("these 32 bytes are no Ed25519 public key; give it as it was made");
    }

    /// <summary>Whether this key has signed the text. MACs are compared in constant time.</summary>
    public bool Signed(ReadOnlySpan<byte> text, ReadOnlySpan<byte> signature)
    {
        if (Key is null || RevokedAt is not null) return false;
        if (Algorithm is TokenAlgorithm.EdDSA) return signature.Length == Ed25519.SignatureSize && Ed25519.Verify(signature.ToArray(), 0, Key, 0, text.ToArray(), 0, text.Length);
        Span<byte> mac = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(Key, text, mac);
        return CryptographicOperations.FixedTimeEquals(mac, signature);
    }

    private static byte[] FromPem(string text)
    {
        byte[] der;
        try
        {
            var found = PemEncoding.Find(text);
            der = text[found.Label] == "PUBLIC KEY" ? Convert.FromBase64String(text[found.Base64Data]) : [];
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            der = [];
        }

        return der.Length == PublicKeyInfo.Length + Ed25519.PublicKeySize && der.AsSpan().StartsWith(PublicKeyInfo)
            ? der[PublicKeyInfo.Length..]
            : throw new FormatException("this PEM is no Ed25519 public key; make one with: openssl pkey -in private.pem -pubout");
    }

    private static byte[] FromBase64Url(string text)
    {
        if (text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_') && Base64Url.IsValid(text, out var length) && length == Ed25519.PublicKeySize) return Base64Url.DecodeFromChars(text);
        throw new FormatException("give an Ed25519 public key: a PEM file, or 43 characters of base64url as x of its JWK has them");
    }
}
