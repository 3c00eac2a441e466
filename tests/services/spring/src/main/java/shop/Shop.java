package shop;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import java.io.IOException;
import java.security.Principal;
import java.util.Map;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.core.userdetails.User;
import org.springframework.security.core.userdetails.UserDetailsService;
import org.springframework.security.provisioning.InMemoryUserDetailsManager;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.security.web.csrf.CsrfToken;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;

/** A shop with a login and a cart, whose sessions are in Redis. */
@SpringBootApplication
@RestController
public class Shop {
  private final Map<String, String> self;

  Shop(@Value("${COLOR:none}") String color, @Value("${VERSION:dev}") String version, @Value("${PEPPER:none}") String pepper) {
    self = Map.of("color", color, "version", version, "pepper", pepper);
  }

  public static void main(String[] args) {
    SpringApplication.run(Shop.class, args);
  }

  @GetMapping("/")
  Map<String, String> home(HttpServletResponse response) {
    response.setHeader("X-Color", self.get("color"));
    response.setHeader("X-Version", self.get("version"));
    return self;
  }

  /** What takes a while: it is under way during a change. */
  @GetMapping("/slow")
  Map<String, String> slow(HttpServletResponse response) throws InterruptedException {
    Thread.sleep(300);
    return home(response);
  }

  @GetMapping(path = "/cart", produces = "text/html")
  String cart(HttpSession session, Principal user, CsrfToken token) {
    return """
        <p id="cart">%s has %d in version %s</p>
        <form method="post" action="/cart"><input type="hidden" name="%s" value="%s"><button>Add</button></form>"""
        .formatted(user.getName(), items(session), self.get("version"), token.getParameterName(), token.getToken());
  }

  @PostMapping("/cart")
  void add(HttpSession session, HttpServletResponse response) throws IOException {
    session.setAttribute("items", items(session) + 1);
    response.sendRedirect("/cart");
  }

  private int items(HttpSession session) {
    Integer items = (Integer) session.getAttribute("items");
    return items == null ? 0 : items;
  }

  /** What the app takes for the client, and for its own address. */
  @GetMapping("/seen")
  Map<String, String> seen(HttpServletRequest request) {
    return Map.of("client", request.getRemoteAddr(), "url", request.getRequestURL().toString());
  }

  @Bean
  SecurityFilterChain security(HttpSecurity http) throws Exception {
    return http.authorizeHttpRequests(of -> of.requestMatchers("/cart").authenticated().anyRequest().permitAll())
        .formLogin(Customizer.withDefaults())
        .build();
  }

  @Bean
  UserDetailsService users() {
    return new InMemoryUserDetailsManager(User.withUsername("ada").password("{noop}lovelace").roles("USER").build());
  }
}
