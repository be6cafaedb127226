using System.Net;
using TrackMate.Bind;
using TrackMate.Http;

namespace TrackMate.Receive;

/// <summary>
/// How many different pairs of an e-mail and an externalId one address, and one session, may claim in an hour to be one person (B13). Counted before anything is
/// stored: what is rejected is no part of the view, so the view does not depend on the order of arrival. A pair that a signed token vouches for is not counted.
/// </summary>
internal sealed class PairLimit(int? perAddress, int? perSession)
{
    private const long HourMilliseconds = 3_600_000;

    /// <summary>Addresses, and sessions, that are remembered; past that those are forgotten that were there longest.</summary>
    private const int Remembered = 50_000;

    private readonly Lock gate = new();
    private readonly Counters<IPAddress> addresses = new();
    private readonly Counters<(long Company, string SessionId)> sessions = new();

    /// <exception cref="RejectionException">The address or the session has claimed what it may in this hour.</exception>
    public void Take(IPAddress address, Identify identify)
    {
        if (identify.Named.Count < 2 || identify.Trust is Trust.Verified) return;
        var pair = HashCode.Combine(identify.Company.Number, identify.Named[0].Id, identify.Named[1].Id);
        var now = identify.ReceivedAt;
        lock (gate)
        {
            var session = sessions.Find((identify.Company.Number, identify.SessionId!), now);
            var network = addresses.Find(AddressNetwork.Of(address), now);
            if (perSession is { } most && !session.Allows(pair, most)) throw TooMany("session", session, now);
            if (perAddress is { } mostOfAddress && !network.Allows(pair, mostOfAddress)) throw TooMany("address", network, now);
            session.Pairs.Add(pair);
            network.Pairs.Add(pair);
        }
    }

    private static RejectionException TooMany(string what, Counter counter, long now) => new(
        Reason.TooManyPairs,
        $"This {what} has named more different pairs of email and externalId in an hour than it may; name one of the two, or let a token of the company's back end vouch for them.",
        retryAfterSeconds: (int)((counter.Since + HourMilliseconds - now + 999) / 1000));

    private sealed class Counter(long since)
    {
        public long Since { get; } = since;

        public HashSet<int> Pairs { get; } = [];

        /// <summary>Whoever says the same again claims nothing more: pages identify at every view.</summary>
        public bool Allows(int pair, int most) => Pairs.Count < most || Pairs.Contains(pair);
    }

    /// <summary>Two generations: the older one goes when the newer one is full, and who is in use moves on.</summary>
    private sealed class Counters<T>
        where T : notnull
    {
        private Dictionary<T, Counter> newer = [];
        private Dictionary<T, Counter> older = [];

        public Counter Find(T key, long now)
        {
            if ((newer.TryGetValue(key, out var counter) || older.TryGetValue(key, out counter)) && now - counter.Since is >= 0 and < HourMilliseconds)
            {
                Keep(key, counter);
                return counter;
            }

            counter = new(now);
            Keep(key, counter);
            return counter;
        }

        private void Keep(T key, Counter counter)
        {
            if (newer.Count >= Remembered / 2 && !newer.ContainsKey(key)) (older, newer) = (newer, []);
            newer[key] = counter;
        }
    }
}
