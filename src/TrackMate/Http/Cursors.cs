using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using TrackMate.Bind;
using TrackMate.Store.Tables;
using TrackMate.Store.Timeline;

namespace TrackMate.Http;

/// <summary>Cursors as callers see them: where the page ended, sealed with the company's secret, so that a damaged or foreign one is told apart. They never expire.</summary>
internal static class Cursors
{
    private const int SealBytes = 8;

    /// <summary>What a cursor's first byte says, so that one of a list of profiles is none of a timeline.</summary>
    private enum Kind : byte
    {
        Event = 1,
        Number = 2,
        Search = 3,
        Place = 4,
    }

    public static string Write(Company company, EventCursor cursor) => Seal(company, Kind.Event, cursor.Order.Value, cursor.EventId);

    public static string Write(Company company, long number) => Seal(company, Kind.Number, number, "");

    public static string Write(Company company, SearchPosition position) => Seal(company, Kind.Search, position.Before, ((int)position.Stage).ToString(CultureInfo.InvariantCulture));

    public static string Write(Company company, PersonPlace place) => Seal(company, Kind.Place, place.CreatedAt, place.Number.ToString(CultureInfo.InvariantCulture));

    /// <summary>Of a search; those that versions before 0.2 gave were the number of a person, and lead on among the texts.</summary>
    /// <exception cref="RejectionException">It is not one of this company's cursors, whole.</exception>
    public static SearchPosition? ReadSearch(Company company, string? text)
    {
        if (text is null) return null;
        if (TryOpen(company, Kind.Number, text) is { } older) return new(SearchStage.Text, older.Number);
        var (before, stage) = Open(company, Kind.Search, text);
        return new((SearchStage)int.Parse(stage, CultureInfo.InvariantCulture), before);
    }

    /// <exception cref="RejectionException">It is not one of this company's cursors, whole.</exception>
    public static PersonPlace? ReadPlace(Company company, string? text)
    {
        if (text is null) return null;
        var (createdAt, number) = Open(company, Kind.Place, text);
        return new(createdAt, long.Parse(number, CultureInfo.InvariantCulture));
    }

    /// <exception cref="RejectionException">It is not one of this company's cursors, whole.</exception>
    public static EventCursor? ReadEvent(Company company, string? text)
    {
        if (text is null) return null;
        var (order, eventId) = Open(company, Kind.Event, text);
        return new(new(order), eventId);
    }

    /// <exception cref="RejectionException">It is not one of this company's cursors, whole.</exception>
    public static long? ReadNumber(Company company, string? text) => text is null ? null : Open(company, Kind.Number, text).Number;

    private static string Seal(Company company, Kind kind, long number, string word)
    {
        var bytes = new byte[1 + 8 + Encoding.UTF8.GetByteCount(word) + SealBytes];
        bytes[0] = (byte)kind;
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(1), number);
        Encoding.UTF8.GetBytes(word, bytes.AsSpan(9));
        company.Seal(bytes.AsSpan(0, bytes.Length - SealBytes), bytes.AsSpan(bytes.Length - SealBytes));
        return Base64Url.EncodeToString(bytes);
    }

    private static (long Number, string Word) Open(Company company, Kind kind, string text) =>
        TryOpen(company, kind, text) ?? throw new RejectionException(Reason.BadCursor, "The cursor is invalid or belongs to another list. Pass nextCursor unchanged, or omit cursor to start over.", "cursor");

    private static (long Number, string Word)? TryOpen(Company company, Kind kind, string text)
    {
        try
        {
            var bytes = Base64Url.DecodeFromChars(text);

            // Decoding passes over padding and spare bits: only the text that was written is a cursor.
            if (bytes.Length >= 1 + 8 + SealBytes && bytes[0] == (byte)kind && Base64Url.EncodeToString(bytes) == text)
            {
                var payload = bytes.AsSpan(0, bytes.Length - SealBytes);
                Span<byte> seal = stackalloc byte[SealBytes];
                company.Seal(payload, seal);
                if (seal.SequenceEqual(bytes.AsSpan(payload.Length))) return (BinaryPrimitives.ReadInt64BigEndian(payload[1..]), Encoding.UTF8.GetString(payload[9..]));
            }
        }
        catch (FormatException)
        {
            // The same as one that decodes to something else.
        }

        return null;
    }
}
