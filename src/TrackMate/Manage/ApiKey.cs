using System.IO.Hashing;
using System.Security.Cryptography;
using System.Text;

namespace TrackMate.Manage;

/// <summary>What a key may do.</summary>
[Flags]
public enum Scopes
{
    None = 0,

    /// <summary>Send webhooks.</summary>
    Write = 1,

    /// <summary>Read profiles, timelines, sessions and events.</summary>
    Read = 2,

    /// <summary>Correct, erase and export.</summary>
    Admin = 4,

    All = Write | Read | Admin,
}

/// <summary>An API key as it is kept: never the key itself.</summary>
/// <param name="Shown">The first characters, to know it by.</param>
public sealed record ApiKey(long Number, long Company, string Name, string Shown, Scopes Scopes, long CreatedAt, long? RevokedAt)
{
    public const string Header = "X-TrackMate-API-Key";

    /// <summary>A given key is taken as it is from this length on.</summary>
    public const int MinLength = 32;

    private const string Prefix = "tm_live_";
    private const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private const int RandomDigits = 32;

    /// <summary>A new key: <c>tm_live_</c>, 32 random digits of 62 (190 bits) and 6 of a checksum, by which secret scanners know it. Nothing is ever authenticated by the checksum.</summary>
    public static string New()
    {
        var random = RandomNumberGenerator.GetString(Digits, RandomDigits);
        return Prefix + random + Checksum(random);
    }

    public static byte[] HashOf(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    /// <summary>Of a key that was given so little is shown that the rest is as hard to guess as before.</summary>
    public static string ShownOf(string key) => key[..(key.StartsWith(Prefix, StringComparison.Ordinal) ? Prefix.Length + 4 : 4)] + "…";

    public static string Write(Scopes scopes) => string.Join(' ', new[] { Scopes.Write, Scopes.Read, Scopes.Admin }.Where(scope => scopes.HasFlag(scope)).Select(scope => scope.ToString().ToLowerInvariant()));

    /// <summary>Reads scopes as people write them, separated by spaces or commas.</summary>
    public static bool TryParse(string text, out Scopes scopes)
    {
        scopes = Scopes.None;
        foreach (var word in text.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries))
        {
            switch (word.ToLowerInvariant())
            {
                case "write": scopes |= Scopes.Write; break;
                case "read": scopes |= Scopes.Read; break;
                case "admin": scopes |= Scopes.Admin; break;
                case "all": scopes |= Scopes.All; break;
                default: return false;
            }
        }

        return scopes is not Scopes.None;
    }

    private static string Checksum(string random)
    {
        var crc = Crc32.HashToUInt32(Encoding.ASCII.GetBytes(random));
        Span<char> digits = stackalloc char[6];
        for (var i = digits.Length - 1; i >= 0; i--)
        {
            digits[i] = Digits[(int)(crc % 62)];
            crc /= 62;
        }

        return new(digits);
    }
}
