using System.Globalization;

namespace TrackMate.Manage;

/// <summary>The part of the disk that browsers' messages may not fill: a share of its size, and at most a number of bytes.</summary>
/// <param name="Share">The share of the disk's size, from 0 to 1.</param>
/// <param name="MaxBytes">The most bytes.</param>
internal sealed record DiskReserve(double Share, long MaxBytes)
{
    /// <summary>5 %, at most 2 GiB.</summary>
    public static readonly DiskReserve Default = new(0.05, 2L << 30);

    private static readonly (string Unit, long Bytes)[] Units = [("GiB", 1L << 30), ("MiB", 1L << 20), ("KiB", 1L << 10), ("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1000), ("B", 1)];

    /// <param name="totalBytes">The size of the disk.</param>
    public long BytesOf(long totalBytes) => (long)Math.Min(Share * totalBytes, MaxBytes);

    /// <summary>Parses <c>5%</c>, <c>2GiB</c>, <c>500 MB</c>, a number of bytes or <c>off</c>.</summary>
    /// <returns>Null if the text is invalid; a reserve of 0 bytes for <c>off</c>.</returns>
    public static DiskReserve? Parse(string text)
    {
        if (text.Equals("off", StringComparison.OrdinalIgnoreCase)) return new(0, 0);
        if (text.EndsWith('%')) return NumberOf(text[..^1]) is { } percent and <= 90 ? new((double)percent / 100, long.MaxValue) : null;
        var (unit, bytes) = Units.FirstOrDefault(unit => text.EndsWith(unit.Unit, StringComparison.OrdinalIgnoreCase));
        return NumberOf(unit is null ? text : text[..^unit.Length]) is { } number && number * (unit is null ? 1 : bytes) is var given and <= long.MaxValue ? new(1, (long)given) : null;
    }

    private static decimal? NumberOf(string text) => decimal.TryParse(text.Trim(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number < 1e15m ? number : null;
}
