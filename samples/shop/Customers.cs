using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Identity;

namespace Shop;

internal sealed record Customer(string Name, string Email);

/// <summary>Who has an account, and whose browser is signed in. Kept in memory: an account ends with the shop's process.</summary>
internal sealed class Customers
{
    private const string Cookie = "shop_session";
    private const int ShortestPassword = 8;

    private readonly ConcurrentDictionary<string, Account> accounts = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<string, Customer> signedIn = new(StringComparer.Ordinal);
    private readonly PasswordHasher<Customer> hasher = new();
    private readonly Account nobody;

    public Customers()
    {
        var customer = new Customer("", "");
        nobody = new(customer, hasher.HashPassword(customer, RandomNumberGenerator.GetHexString(32)));
    }

    private sealed record Account(Customer Customer, string PasswordHash);

    public sealed record Registration(string? Name, string? Email, string? Password);

    public sealed record Credentials(string? Email, string? Password);

    /// <param name="Customer">Null: nobody is signed in.</param>
    public sealed record Visitor(Customer? Customer);

    public static Results<Ok<Customer>, ProblemHttpResult> Register(Registration given, Customers customers, HttpContext http)
    {
        var (name, email, password) = (given.Name?.Trim() ?? "", given.Email?.Trim() ?? "", given.Password ?? "");
        if (name is "" or { Length: > 100 }) return Refuse(422, "Tell us your name, please.");
        if (email.Length > 254 || email.Split('@') is not [{ Length: > 0 }, { Length: > 0 }]) return Refuse(422, "That is not an e-mail address.");
        if (password.Length < ShortestPassword) return Refuse(422, $"A password has at least {ShortestPassword} characters.");

        var customer = new Customer(name, email);
        if (!customers.accounts.TryAdd(email, new(customer, customers.hasher.HashPassword(customer, password)))) return Refuse(409, "There is an account for this e-mail. Sign in instead.");
        return customers.SignIn(customer, http);
    }

    public static Results<Ok<Customer>, ProblemHttpResult> LogIn(Credentials given, Customers customers, HttpContext http)
    {
        // An unknown address costs as much time as a wrong password, and is answered alike.
        var account = customers.accounts.GetValueOrDefault(given.Email?.Trim() ?? "", customers.nobody);
        var verified = customers.hasher.VerifyHashedPassword(account.Customer, account.PasswordHash, given.Password ?? "");
        return verified is PasswordVerificationResult.Failed ? Refuse(401, "E-mail or password is wrong.") : customers.SignIn(account.Customer, http);
    }

    public static NoContent LogOut(Customers customers, HttpContext http)
    {
        if (http.Request.Cookies[Cookie] is { } token) customers.signedIn.TryRemove(KeyOf(token), out _);
        http.Response.Cookies.Delete(Cookie);
        return TypedResults.NoContent();
    }

    public static Ok<Visitor> Me(Customers customers, HttpContext http) => TypedResults.Ok(new Visitor(customers.Of(http)));

    /// <summary>The customer who is signed in where this request comes from, or null.</summary>
    public Customer? Of(HttpContext http) => http.Request.Cookies[Cookie] is { } token ? signedIn.GetValueOrDefault(KeyOf(token)) : null;

    private Ok<Customer> SignIn(Customer customer, HttpContext http)
    {
        var token = RandomNumberGenerator.GetHexString(64, lowercase: true);
        signedIn[KeyOf(token)] = customer;
        http.Response.Cookies.Append(Cookie, token, new() { HttpOnly = true, SameSite = SameSiteMode.Strict, Secure = http.Request.IsHttps, IsEssential = true });
        return TypedResults.Ok(customer);
    }

    /// <summary>Only a hash of the token is kept.</summary>
    private static string KeyOf(string token) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    private static ProblemHttpResult Refuse(int status, string detail) => TypedResults.Problem(detail, statusCode: status);
}
