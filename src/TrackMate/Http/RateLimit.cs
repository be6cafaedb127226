using System.Net;
using System.Threading.RateLimiting;

namespace TrackMate.Http;

/// <summary>How many requests a second one address may send to the public calls; an IPv6 network of 64 bits counts as one address.</summary>
internal sealed class RateLimit : IDisposable
{
    private readonly PartitionedRateLimiter<IPAddress>? limiter;

    /// <param name="requestsPerSecond">Null: no limit.</param>
    public RateLimit(int? requestsPerSecond)
    {
        if (requestsPerSecond is not { } limit) return;
        limiter = PartitionedRateLimiter.Create<IPAddress, IPAddress>(address => RateLimitPartition.GetTokenBucketLimiter(address, _ => new TokenBucketRateLimiterOptions
        {
            TokenLimit = limit,
            TokensPerPeriod = limit,
            ReplenishmentPeriod = TimeSpan.FromSeconds(1),
            AutoReplenishment = false,
        }));
    }

    /// <exception cref="RejectionException">The address has spent its share of this second.</exception>
    public void Take(HttpContext http)
    {
        if (limiter is null) return;
        using var lease = limiter.AttemptAcquire(AddressNetwork.Of(http.Connection.RemoteIpAddress ?? IPAddress.None));
        if (lease.IsAcquired) return;
        throw new RejectionException(Reason.TooManyRequests, "Too many requests per second from this address. Send several events in one request, or wait.", retryAfterSeconds: 1);
    }

    public void Dispose() => limiter?.Dispose();
}
