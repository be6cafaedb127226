using System.Globalization;

namespace TrackMate.Bind;

/// <summary>A time as senders write it: ISO 8601 in the forms that libraries print, or seconds or milliseconds since 1970. Nothing is guessed: <c>01.02.2025</c> is no time.</summary>
/// <param name="LocalMilliseconds">What the sender's clock shows, counted like unix milliseconds.</param>
/// <param name="OffsetMinutes">How far that clock is ahead of UTC; null where the text does not say.</param>
public readonly record struct WrittenTime(long LocalMilliseconds, int? OffsetMinutes)
{
    /// <summary>A smaller number is no time that anybody means.</summary>
    private const long FirstSeconds = 100_000_000;

    /// <summary>Numbers below are seconds (until the year 5138), the others milliseconds (from 1973 on).</summary>
    private const long FirstMilliseconds = 100_000_000_000;

    /// <summary>From here on a number is microseconds or no time at all.</summary>
    private const long AfterMilliseconds = 100_000_000_000_000;

    private const int MinutesOfDay = 24 * 60;
    private const long MillisecondsOfMinute = 60_000;
    private const long MillisecondsOfDay = MinutesOfDay * MillisecondsOfMinute;

    /// <summary>The first and the last moment that .NET can show.</summary>
    private static readonly long First = DateTimeOffset.MinValue.ToUnixTimeMilliseconds();
    private static readonly long Last = DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    /// <summary>Unix milliseconds; without an offset it is read as UTC.</summary>
    public long UnixMilliseconds => LocalMilliseconds - ((OffsetMinutes ?? 0) * MillisecondsOfMinute);

    /// <summary>
    /// <c>2025-10-18T10:00:00.123456789+02:00</c> and what libraries make of it: no seconds, a comma, a blank or lower-case letters, <c>+0200</c>, <c>+02</c>,
    /// <c>UTC</c>, basic format, a time zone in brackets (RFC 9557); a date alone; 9 to 13 digits of unix time. Digits after milliseconds are cut off. <c>24:00</c>
    /// is the end of the day, and a leap second the first one of the next minute.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<char> text, out WrittenTime time)
    {
        time = default;
        if (text.IndexOfAnyExceptInRange('0', '9') is var digits && (digits < 0 ? text.Length : text[digits] == '.' ? digits : 0) is >= 9 and <= 13)
            return decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && TryFromUnix(number, out time);

        var reader = new Reader(text);
        if (!reader.Number(4, out var year)) return false;
        var isExtended = reader.Skip('-');
        if (!reader.Number(2, out var month) || (isExtended && !reader.Skip('-')) || !reader.Number(2, out var day)) return false;
        if (year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month)) return false;
        var midnight = new DateTimeOffset(year, month, day, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();
        if (reader.IsAtEnd)
        {
            time = new(midnight, null);
            return isExtended;
        }

        if (!reader.Skip('T') && !reader.Skip('t') && !reader.Skip(' ')) return false;
        if (!reader.Number(2, out var hour) || (isExtended && !reader.Skip(':')) || !reader.Number(2, out var minute)) return false;
        var (second, millisecond) = (0, 0);
        if (isExtended ? reader.Skip(':') : reader.IsAtDigit)
        {
            if (!reader.Number(2, out second)) return false;
            if ((reader.Skip('.') || reader.Skip(',')) && !reader.Fraction(out millisecond)) return false;
        }

        if (!reader.Offset(out var offset) || !reader.Zones() || !reader.IsAtEnd) return false;
        var local = midnight + (((hour * 60) + minute) * MillisecondsOfMinute) + (second * 1000) + millisecond;
        time = new(local, offset);
        return minute <= 59 && IsShowable(local) && IsShowable(time.UnixMilliseconds) && (hour <= 23 || local == midnight + MillisecondsOfDay) && (second <= 59 || (second == 60 && IsLastMinute((hour * 60) + minute - (offset ?? 0))));
    }

    /// <summary>Seconds or milliseconds since 1970, told apart by their size.</summary>
    public static bool TryFromUnix(decimal number, out WrittenTime time)
    {
        time = default;
        if (number is < FirstSeconds or >= AfterMilliseconds) return false;
        time = new((long)(number < FirstMilliseconds ? number * 1000 : number), 0);
        return true;
    }

    private static bool IsShowable(long unixMilliseconds) => unixMilliseconds >= First && unixMilliseconds <= Last;

    /// <summary>A leap second is only ever added to the last minute of a day, as UTC counts.</summary>
    private static bool IsLastMinute(int minuteOfDay) => ((minuteOfDay % MinutesOfDay) + MinutesOfDay) % MinutesOfDay == MinutesOfDay - 1;

    private ref struct Reader(ReadOnlySpan<char> text)
    {
        private ReadOnlySpan<char> rest = text;

        public readonly bool IsAtEnd => rest.IsEmpty;

        public readonly bool IsAtDigit => !rest.IsEmpty && char.IsAsciiDigit(rest[0]);

        public bool Skip(char c)
        {
            if (rest.IsEmpty || rest[0] != c) return false;
            rest = rest[1..];
            return true;
        }

        public bool Number(int digits, out int number)
        {
            number = 0;
            if (rest.Length < digits) return false;
            for (var i = 0; i < digits; i++)
            {
                if (!char.IsAsciiDigit(rest[i])) return false;
                number = (number * 10) + (rest[i] - '0');
            }

            rest = rest[digits..];
            return true;
        }

        /// <summary>Digits after the seconds, of which three count.</summary>
        public bool Fraction(out int milliseconds)
        {
            milliseconds = 0;
            var digits = 0;
            for (; IsAtDigit; digits++, rest = rest[1..])
            {
                if (digits < 3) milliseconds = (milliseconds * 10) + (rest[0] - '0');
            }

            for (var i = digits; i < 3; i++) milliseconds *= 10;
            return digits > 0;
        }

        /// <summary>Z, UTC, ±02:00, ±0200 or ±02, also after a blank; null where there is none.</summary>
        public bool Offset(out int? minutes)
        {
            minutes = null;
            if (rest.IsEmpty || rest[0] == '[') return true;
            Skip(' ');
            if (Skip('Z') || Skip('z') || (rest.StartsWith("UTC") && Skip('U') && Skip('T') && Skip('C')))
            {
                minutes = 0;
                return true;
            }

            // ISO 8601 asks for the minus of typesetters, U+2212.
            var isNegative = Skip('-') || Skip('−');
            if ((!isNegative && !Skip('+')) || !Number(2, out var hours)) return false;
            var part = 0;
            if ((Skip(':') || IsAtDigit) && !Number(2, out part)) return false;
            minutes = ((hours * 60) + part) * (isNegative ? -1 : 1);
            return hours <= 23 && part <= 59;
        }

        /// <summary>Names of time zones and calendars in brackets, as Java and Temporal print them: beside an offset they change nothing.</summary>
        public bool Zones()
        {
            while (Skip('['))
            {
                var end = rest.IndexOf(']');
                if (end is < 1 or > 64 || rest[..end].ContainsAnyExcept(ZoneCharacters)) return false;
                rest = rest[(end + 1)..];
            }

            return true;
        }
    }

    private static readonly System.Buffers.SearchValues<char> ZoneCharacters = System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_/+-=!:.");
}
